"""Judges how runs end: what must hold in the end, and what is owed and never done.

A run ends where it comes to rest, or goes round a cycle of progress forever. A cycle counts only if it is fair: an action
that is enabled on the whole cycle is taken somewhere on it (weak fairness on progress actions), and whatever else the
system assumes. For weak fairness it is enough to look at maximal strongly connected components: what is enabled
everywhere in one is enabled everywhere in each of its parts, and has fewer edges there. For strong fairness a component
that cannot be fair is taken apart, as in the emptiness check of Streett automata (Emerson, Lei: "Modalities for model
checking", 1987).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sim.checker.explored import Reached, TimeIsUp, WholeGraph
from sim.checker.tours import Fair, Loop, Step, fair_parts, fair_round
from sim.graph.action import Action
from sim.graph.judge import End, Judge
from sim.world.fairness import Fairness
from sim.world.finding import Debt, Finding, owed_for_ever, unmet_at_rest, unmet_for_ever


class Lasso(NamedTuple):
    """What is wrong, and what leads to it from state `start`, which is `depth` steps away: to rest, or to a round and once
    around it."""

    finding: Finding
    start: int
    depth: int
    path: list[Action]

    @property
    def length(self) -> int:
        """Steps of the whole schedule."""
        return self.depth + len(self.path)


@dataclass
class _Question:
    """A way for a run to end wrongly: it comes by a state in `begins`, stays in `stays` from there on, and goes round
    with a state in `touch` forever, or rests in `rests`."""

    begins: Any
    stays: Any
    touch: Any
    rests: Any = None


class Liveness:
    """Judges an explored graph. Raises `TimeIsUp` when that is said."""

    def __init__(self, explored: WholeGraph, judge: Judge, fairness: Fairness, time_is_up: Callable[[], bool]) -> None:
        self._explored, self._judge, self._time_is_up = explored, judge, time_is_up
        self._fair = Fair(explored, fairness, time_is_up)
        self._everywhere = explored.everywhere()

    def cycles(self) -> int:
        """How many fair rounds there are: strongly connected components, each as large as can be."""
        reached = self._explored.reach(self._everywhere, self._everywhere)
        return sum(1 for _ in self._rounds(reached, self._everywhere))

    def unmet_at_rest(self, shorter: int | None = None) -> Lasso | None:
        """A shortest schedule to rest without what must hold in the end; of fewer than `shorter` steps."""
        found: Lasso | None = None
        for end in self._judge.ends:
            question = self._asks(end)
            if question.rests is None:
                continue
            reached = self._explored.reach(question.begins, question.stays)
            rests = (n for n in reached.states() if self._explored.resting[n] and question.rests[n])
            at = next((int(n) for n in rests), None)
            if at is not None:
                lasso = self._to(at, reached, unmet_at_rest(end.kind, end.name))
                if shorter is None or lasso.length < shorter:
                    found, shorter = lasso, lasso.length
        return found

    def wrong_round(self) -> Lasso | None:
        """A schedule into a fair round that violates something: what must hold in the end, then what is owed."""
        for end in self._judge.ends:
            found = self._round_of(self._asks(end))
            if found is not None:
                reached, at, tour = found
                return self._to(at, reached, unmet_for_ever(end.kind, end.name, len(tour)), tour)
        for debt, values in debts(self._judge).items():
            machine = self._judge.graph.tables.index[debt.who]
            owing = self._explored.among(machine, values)
            found = self._round_of(_Question(owing, owing, self._everywhere))
            if found is not None:
                reached, at, tour = found
                looks = {int(self._explored.column(machine)[n]) for n, _, _ in tour}
                finding = owed_for_ever(debt, len(tour), other_work=len(looks) > 1)
                return self._to(at, reached, finding, tour)
        return None

    def _asks(self, end: End) -> _Question:
        explored, everywhere = self._explored, self._everywhere
        if end.holds is None:  # `rests`
            return _Question(everywhere, everywhere, everywhere)
        unmet = explored.inverse(explored.holds(end.holds))
        if end.kind == "eventually_always":
            return _Question(everywhere, everywhere, unmet, unmet)
        begins = explored.first(unmet) if end.kind == "eventually" else unmet
        if end.begins is not None:
            begins = explored.both(unmet, explored.holds(end.begins))
        return _Question(begins, unmet, everywhere, unmet)

    def _round_of(self, question: _Question) -> tuple[Reached, int, list[Step]] | None:
        """A fair round: how its states are reached, where it begins, and its steps."""
        if self._time_is_up():  # there may be many questions, each of them small
            raise TimeIsUp
        reached = self._explored.reach(question.begins, question.stays)
        for part in self._rounds(reached, question.touch):
            at = next(int(n) for n in reached.states() if int(n) in part.members and question.touch[n])
            return reached, at, fair_round(self._fair, part, at)
        return None

    def _rounds(self, reached: Reached, touch: Any) -> Iterator[Loop]:
        for members in self._explored.rounds(reached, touch, self._time_is_up):
            part = Loop(set(members))
            parts = [part] if self._fair.fairness.is_weak else fair_parts(self._fair, part)
            yield from (one for one in parts if any(touch[n] for n in one.members))

    def _to(self, at: int, reached: Reached, finding: Finding, tour: Sequence[Step] = ()) -> Lasso:
        begin, edges = reached.way(at)
        return Lasso(
            finding,
            begin,
            int(self._explored.depth[begin]),
            [*map(self._explored.edge, edges), *(action for _, action, _ in tour)],
        )


def debts(judge: Judge) -> dict[Debt, set[int]]:
    """What is owed in some local value that was met: by each, the local values in which it is."""
    found: dict[Debt, set[int]] = {}
    for local, owed in judge.graph.tables.owed.items():
        for debt in owed:
            found.setdefault(debt, set()).add(local)
    order = {name: i for i, name in enumerate(judge.graph.names)}
    return dict(sorted(found.items(), key=lambda item: (order[item[0].who], item[0].key)))
