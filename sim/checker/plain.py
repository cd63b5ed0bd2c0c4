"""The plain walk: breadth first over all states, each expanded once. It defines what a check does."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from sim.checker.explored import Edges, TimeIsUp, WholeGraph
from sim.checker.growth import LAST
from sim.checker.liveness import Lasso, Liveness
from sim.checker.memory import held_bytes, reached
from sim.checker.reduction.reduction import Reduction
from sim.checker.result import CheckResult, Progress
from sim.graph.action import Action
from sim.graph.graph import Graph
from sim.graph.judge import Judge
from sim.graph.state import GraphStart, State
from sim.run.simulation import ended
from sim.world.finding import Finding

TIME_IS_UP = "the time was up"
_LOOK_EVERY = 1000
"""After so many new states the memory held is looked at."""


class Limits(NamedTuple):
    """Where a walk stops: distinct states, bytes held by this process, and a point in time of `perf_counter`."""

    states: int | None = None
    memory: int | None = None
    until: float | None = None

    def time_is_up(self) -> bool:
        """Whether the point in time is over."""
        return self.until is not None and time.perf_counter() >= self.until

    def states_reached(self) -> str:
        """Why the walk ended, as a user reads it."""
        return f"{self.states} states were reached"


class PlainWalk:
    """The plain walk, which defines what a check does. With a reduction it explores states that stand for others: what
    it keeps is what `Reduction.of` makes of a state. With `cycles` it keeps the edges, and judges how runs end that never
    rest."""

    def __init__(
        self,
        graph: Graph,
        limits: Limits,
        progress: Progress | None = None,
        reduction: Reduction | None = None,
        *,
        cycles: bool = False,
    ) -> None:
        self.graph = graph
        self.reduction = reduction
        self.judge = Judge(graph) if reduction is None else reduction.judge
        self.limits = limits
        self.progress = progress
        self.result = CheckResult(graph=self.graph)
        self.parents: dict[State, tuple[State, Action] | None] = {}
        self.starts: dict[State, GraphStart] = {}
        self.unseen = list(self.judge.sometimes)
        self.last: list[State] = []
        """Some of the states that were met last, where a bound was hit."""
        self.edges = Edges() if self.judge.ends or cycles else None
        """Kept where how a run ends is judged by the way that led there, and for cycles."""
        self.cycles = cycles
        self.numbers: dict[State, int] = {}
        """The states met as numbers, where edges are kept."""
        self._look_at = _LOOK_EVERY

    def run(self, hand_over_at: int | None = None) -> list[State]:
        """Walks to the end; or until so many states were met, and then returns the level to expand next."""
        return self.go_on(self._begin(), hand_over_at)

    def go_on(self, level: list[State], hand_over_at: int | None = None) -> list[State]:
        """The same from a level that was reached."""
        while level and self.result.finding is None:
            if hand_over_at is not None and len(self.parents) >= hand_over_at:
                return level
            self.next_level(len(self.parents))
            level = self._expand(level)
            if self.result.stopped:
                self.last = list(self.parents)[-LAST:]
                return []
        if self.result.finding is None or self.edges is not None:
            self._end()
        return []

    def next_level(self, states: int) -> None:
        """Notes that a level begins, with so many states met."""
        self.result.depth += 1
        if self.progress is not None:
            self.result.states = states
            self.progress(self.result)

    def _begin(self) -> list[State]:
        level = []
        for start in self.graph.starts() if self.reduction is None else self.reduction.starts():
            state = start.place if self.reduction is None else self.reduction.of(start.place)
            if state not in self.parents:  # two ways to begin may be one initial state
                self.result.generated += 1
                self._meet(state, None)
                self.starts[state] = start
                level.append(state)
                if self._violated(state):
                    break
        return level

    def _meet(self, state: State, link: tuple[State, Action] | None) -> None:
        if self.edges is not None:
            self.numbers[state] = len(self.parents)
        self.parents[state] = link

    def _expand(self, level: list[State]) -> list[State]:
        """All successors of a level that were not met before."""
        found: list[State] = []
        result = self.result
        for position, state in enumerate(level):
            if self.judge.within is not None and not self.judge.within(state.locals, state.net):
                result.outside += 1
                if self.edges is not None:
                    self.edges.close()
                continue
            ended = self._expand_one(state, found)
            if ended == _VIOLATED:
                self._look_for_shorter(level[position:])
            if ended != _GOES_ON:
                return found
            if self.limits.time_is_up():
                result.stopped = TIME_IS_UP
                return found
            if self.limits.memory is not None and len(self.parents) >= self._look_at:
                self._look_at = len(self.parents) + _LOOK_EVERY
                if held_bytes() > self.limits.memory:
                    result.stopped = reached(self.limits.memory)
                    return found
        return found

    def _expand_one(self, state: State, found: list[State]) -> int:
        """The successors of one state; why it was left, if it was."""
        graph, parents, result, reduction, edges = self.graph, self.parents, self.result, self.reduction, self.edges
        quiescent = True
        for action in graph.enabled(state) if reduction is None else reduction.enabled(state):
            after = graph.apply(state, action)
            result.generated += 1
            if action.progress and quiescent and after != state:
                quiescent = False
            if reduction is not None:
                after = reduction.of(after)
            if after not in parents:
                if self.limits.states is not None and len(parents) >= self.limits.states:
                    result.stopped = self.limits.states_reached()
                    return _STOPPED
                self._meet(after, (state, action))
                found.append(after)
                if self._violated(after):
                    return _VIOLATED
            if edges is not None:
                edges.add(action, self.numbers[after])
        if edges is not None:
            edges.close(at_rest=quiescent)
        if quiescent:
            result.rests += 1
            if self._violated_at_rest(state):
                return _STOPPED
        return _GOES_ON

    # --- what is wrong ------------------------------------------------------------------------------

    def _look_for_shorter(self, level: list[State]) -> None:
        """Where a violation was met one step beyond the level, what is owed in a state of it makes a counterexample that
        is one step shorter."""
        told = False
        for state in level:
            if self.owes_at_rest(state):
                if self.edges is not None:
                    self.edges.resting.add(self.numbers[state])
                told = told or self._violated_at_rest(state)
                if told and self.edges is None:
                    return

    def owes_at_rest(self, state: State) -> bool:
        """Whether a state that was not expanded is at rest, and something may be wrong with that."""
        if self.judge.within is not None and not self.judge.within(state.locals, state.net):
            return False
        may_owe = self.edges is not None or self.judge.judge_quiescent(state) is not None
        return may_owe and self.graph.quiescent(state)

    def _violated(self, state: State) -> bool:
        finding = self.judge.judge(state)
        if finding is not None:
            self._found(finding, state)
            return True
        if self.unseen:
            self.unseen = [prop for prop in self.unseen if not prop(state.locals, state.net)]
        return False

    def _violated_at_rest(self, state: State) -> bool:
        finding = self.judge.judge_quiescent(state)
        if finding is not None:
            self._found(finding, state, at_rest=True)
        return finding is not None

    def _found(self, finding: Finding, state: State, *, at_rest: bool = False) -> None:
        self.found(finding, *self.path(state), at_rest=at_rest)

    def found(self, finding: Finding, path: list[Action], begin: GraphStart, *, at_rest: bool) -> None:
        """A violation is at the end of this way (`at_rest`: for what is owed there)."""
        if self.reduction is not None:
            path, begin, finding = self.reduction.replay(path, begin, at_rest=at_rest)
        self.result.path, self.result.begin, self.result.finding = path, begin, finding

    def step(self, state: State, action: Action) -> State:
        """Where this walk goes from a state of its own."""
        after = self.graph.apply(state, action)
        return after if self.reduction is None else self.reduction.of(after)

    def path(self, state: State) -> tuple[list[Action], GraphStart]:
        """A shortest way to a state that this walk has met, and its start."""
        path: list[Action] = []
        link = self.parents[state]
        while link is not None:
            state, action = link
            path.append(action)
            link = self.parents[state]
        return path[::-1], self.starts[state]

    # --- what only the whole can tell ---------------------------------------------------------------

    def explored(self) -> WholeGraph:
        """All that was explored, in numbers."""
        assert self.edges is not None
        depth: list[int] = []
        for link in self.parents.values():
            depth.append(0 if link is None else depth[self.numbers[link[0]]] + 1)
        return WholeGraph(len(self.starts), list(self.parents), depth, self.edges, self.graph.tables.failed)

    def _end(self) -> None:
        states = list(self.parents)
        self.end(self.explored() if self.edges is not None else None, lambda number: self.path(states[number]))

    def end(self, explored: WholeGraph | None, path: Callable[[int], tuple[list[Action], GraphStart]]) -> None:
        """Nothing is left to expand, or a violation was met: judges what only the whole can tell. `path` is the way to a
        state by its number."""
        result = self.result
        try:
            lasso = self._judge_ends(explored) if explored is not None else None
        except TimeIsUp:
            result.stopped = TIME_IS_UP
            return
        if lasso is not None:
            way, result.begin = path(lasso.start)
            schedule = [*way, *lasso.path]
            said, length = ended(self.graph, result.begin, schedule)  # a replay has the last word
            result.finding, result.path = said or lasso.finding, schedule[:length]
        if result.finding is None or lasso is not None:
            result.complete = True  # not before: an interrupted judgement of how runs end has proved nothing
        if result.finding is None and self.unseen:
            result.finding = Finding(self.unseen[0].name, "holds in no reachable state, so the model may do nothing")

    def _judge_ends(self, explored: WholeGraph) -> Lasso | None:
        """What is wrong with how runs end; after a violation, only what is wrong sooner."""
        result, liveness = self.result, Liveness(explored, self.judge, self.graph.fairness, self.limits.time_is_up)
        lasso = liveness.unmet_at_rest(len(result.path) if result.finding is not None else None)
        if lasso is not None or result.finding is not None or not self.cycles:
            return lasso
        lasso = liveness.wrong_round()
        result.cycles = liveness.cycles() if lasso is None else None
        return lasso


_GOES_ON, _STOPPED, _VIOLATED = range(3)


CUTS_MAX = 62
"""Cuts whose bits fit into one number."""


def only_plain(graph: Graph) -> str:
    """Why the compiled engines cannot walk this graph; "" if they can."""
    if graph.lasting and len(graph.budget.cuts) > CUTS_MAX:
        return f"the plain engine goes on: more than {CUTS_MAX // 2} cuts, and one may be for good"
    return ""
