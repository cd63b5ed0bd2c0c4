"""A walk over states that stand for others, and the way back from them to a real schedule."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sim.base.errors import ModelError, listing
from sim.checker.reduction.alike import Alike, alike
from sim.checker.reduction.claims import Claims
from sim.checker.reduction.images import Images
from sim.checker.reduction.orbits import OrbitJudge
from sim.checker.reduction.representative import Representative
from sim.checker.reduction.settle import Settling
from sim.checker.reduction.universe import ROWS_MAX, ROWS_SMALL, TooManyRows, Universe
from sim.graph.action import Action
from sim.graph.graph import Graph
from sim.graph.judge import Judge
from sim.graph.state import GraphStart, State
from sim.system.declaration import Declaration
from sim.system.properties import IN_THE_END
from sim.world.finding import Finding

_NOTHING_SETTLES = "no message settles or is dead"


PROBED = 2_000
"""States up to which a walk is short."""


def steps_of(system: Declaration) -> int:
    """The steps of a short walk of all states; at least `ROWS_MAX` if it is not short."""
    graph = Graph(system)
    starts = [start.place for start in graph.starts()]
    met, waiting, steps = set(starts), starts, 0
    while waiting and steps < ROWS_MAX:
        if len(met) > PROBED:
            return ROWS_MAX
        state = waiting.pop()
        for action in graph.enabled(state):
            steps += 1
            after = graph.apply(state, action)
            if after not in met:
                met.add(after)
                waiting.append(after)
    return steps


@dataclass
class Reduced:
    """What a reduction came to: what was applied, and what was not and why, in words."""

    applied: list[str]
    off: list[str]


class RealSchedule(NamedTuple):
    """A real schedule to a state that a reduced walk has met, and what is wrong at its end."""

    path: list[Action]
    begin: GraphStart
    finding: Finding


class Reduction:
    """What `--reduce` does to a walk of `graph`. `apart` are classes that an earlier walk found to be told apart,
    with the reasons."""

    def __init__(self, graph: Graph, apart: Mapping[tuple[str, ...], str]) -> None:
        self.graph = graph
        self._failed = graph.tables.failed
        self._off: list[str] = []
        """Why something is not applied, or not to everything."""
        ends = [str(prop) for prop in graph.system.properties if prop.kind in IN_THE_END]
        found = alike(graph.system)
        unfit = _unfit(graph.system)
        if unfit:
            self._off.append(unfit)
            found = Alike([], [])
        elif ends:  # a cycle of states that stand for others need not be a fair one of real states
            self._off.append(f"{ends[0]} is judged on all states")
            found = Alike([], [])
        elif graph.system.machines or graph.system.updates:
            self._off.append("processes share a machine" if graph.system.machines else "processes are updated")
            found = Alike([], [])
        elif not graph.system.interchangeable:
            self._off.append("no processes are declared interchangeable")
        self._off += [*found.apart, *apart.values()]
        self.images = Images(graph, [names for names in found.classes if names not in apart])
        self._canonical = Representative(self.images)
        self._claims = Claims(self.images)
        self.judge: Judge = Judge(graph) if unfit else OrbitJudge(graph, self.images)
        self.settling = None if ends or unfit else self._make_settling()

    def _make_settling(self) -> Settling | None:
        why = _unsettled(self.graph)
        if why:
            self._off.append(f"no partial order: {why}")
            return None
        judged = [*self.judge.always, *self.judge.sometimes, *([self.judge.within] if self.judge.within else [])]
        seen = {process for prop in judged for process in prop.reads}
        try:
            universe = Universe(self.graph, self._claims.look, self._rows_allowed)
        except TooManyRows as error:
            cheap = "" if error.args[0] == ROWS_MAX else ", and the walk is short"
            self._off.append(
                f"no partial order: more than {error.args[0]:,} pairs of a local value and a message{cheap}"
            )
            return None
        except ModelError as error:  # of what need not happen at all
            self._off.append(f"no partial order: {error}")
            return None
        settling = Settling(universe, seen)
        if settling.is_of_use():
            return settling
        self._off.append(_NOTHING_SETTLES)
        return None

    def _rows_allowed(self) -> int:
        """Preparing may look at no more than the whole walk would, unless that is long."""
        return ROWS_SMALL + min(steps_of(self.graph.system), ROWS_MAX - ROWS_SMALL)

    @property
    def is_of_use(self) -> bool:
        """Whether a walk could become smaller by it."""
        return bool(self.images.classes) or self.settling is not None

    @property
    def report(self) -> Reduced:
        """What came of it so far."""
        applied = [f"symmetry of {listing(names, 'and')}" for names in self.images.classes]
        off = list(self._off)
        if self.settling is not None:
            if self.settling.used:
                applied.append("partial order")
            else:
                off.append(_NOTHING_SETTLES)
        return Reduced(applied, off)

    def starts(self) -> list[GraphStart]:
        """The ways to begin; raises `ToldApart` if alike processes do not begin alike."""
        self._claims.start()
        return self.graph.starts()

    def enabled(self, state: State) -> list[Action]:
        """The enabled actions; sees to it that what `state` does all states do that it stands for, else raises
        `ToldApart`."""
        actions = self.graph.enabled(state)
        self._claims.vouch(state, actions)
        return actions

    def heard(self, state: State, action: Action) -> None:
        """The same for what monitors make of an action."""
        self._claims.hear(state.locals, action.effect.heard)

    def of(self, state: State) -> State:
        """The state that stands for `state`."""
        if self._failed and not self._failed.keys().isdisjoint(state.locals):
            return state  # nothing comes after it
        if self.settling is not None:
            state = self.settling(state)
        return self._canonical(state)

    # --- the way back -------------------------------------------------------------------------------

    def replay(self, way: Sequence[Action], begin: GraphStart, *, at_rest: bool) -> RealSchedule:
        """A real schedule for the way of a reduced walk to a violation (`at_rest`: of what is owed there).

        From a real state that one of the walk stands for, some action leads to a state that the walk's next
        one stands for: this is what a reduction keeps.
        """
        passed = self.of(begin.place)
        states = [begin.place]
        for taken in way:
            passed = self.of(self.graph.apply(passed, taken))
            self._settle(states)
            states.append(next(s for _, s in self._steps(states[-1]) if self._stands_for(passed, s)))
        if at_rest:
            self._settle(states)
        judge = Judge(self.graph)
        judged = judge.judge_quiescent if at_rest else judge.judge
        for turned in self._turned(states):
            finding = judged(turned[-1])
            if finding is not None:
                return RealSchedule(*self._along(turned), finding)
        raise AssertionError("a reduced walk sees a violation that no real schedule has")

    def _settle(self, states: list[State]) -> None:
        """Goes on with what a reduced walk takes at once."""
        if self.settling is not None:
            states += self.settling.steps(states[-1])

    def _stands_for(self, one: State, state: State) -> bool:
        """Whether `one` stands for `state`; where a machine failed, whichever of those alike it was."""
        failed = self.graph.tables.failed.keys()
        if failed.isdisjoint(one.locals):
            return self.of(state) == one
        return not failed.isdisjoint(state.locals)

    def _steps(self, state: State) -> Iterator[tuple[Action, State]]:
        return ((action, self.graph.apply(state, action)) for action in self.graph.enabled(state))

    def _turned(self, states: list[State]) -> Iterator[list[State]]:
        """The way, and the ways that swaps make of it, each other end once."""
        ends = {states[-1]}
        waiting = [states]
        while waiting:
            way = waiting.pop(0)
            yield way
            for swap in self.images.steps:
                end = self._swapped(swap, way[-1])
                if end not in ends:
                    ends.add(end)
                    waiting.append([*(self._swapped(swap, state) for state in way[:-1]), end])

    def _swapped(self, swap: int, state: State) -> State:
        return self.images.state(swap, state)

    def _along(self, states: list[State]) -> tuple[list[Action], GraphStart]:
        """The actions along real states."""
        begin = next(start for start in self.graph.starts() if start.place == states[0])
        path = []
        for before, after in itertools.pairwise(states):
            path.append(next(action for action, reached in self._steps(before) if reached == after))
        return path, begin


def _unsettled(graph: Graph) -> str:
    """Why a delivery that is possible need not stay so, or ""."""
    if graph.lasting:
        return "something may be struck for good"
    if graph.system.machines:
        return "processes share a machine"
    if graph.system.updates:
        return "processes are updated"
    return "not more than so many may be down at once" if graph.system.down_max is not None else ""


def _unfit(system: Declaration) -> str:
    """Why nothing of this system is reduced, in words; empty if something may be."""
    if system.only_kind is None:
        return "the network is not of one kind on every link, or is `latest`"
    return next((f"{prop} reads what is in flight" for prop in system.judged_properties if prop.flying), "")
