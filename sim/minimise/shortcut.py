"""Looks breadth first for a shorter way from a state of a failing run to the same violation."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sim.graph.action import Action
from sim.graph.graph import Graph, Start, State
from sim.graph.judge import Judge
from sim.minimise.deviations import is_plain

LOOK_MAX = 2_000
"""Distinct states that one look may meet."""


class Shortcut(NamedTuple):
    """What one look found: a whole run that is shorter (None: there is none), and how many states it met."""

    actions: list[Action] | None
    looked: int


def shortcuts(
    graph: Graph, judge: Judge, start: Start, actions: Sequence[Action], prop: str, deviations_max: int
) -> Iterator[Shortcut]:
    """Looks from every state of the run, the last first: there the way to the violation is short. A run
    of more than `deviations_max` faults and moves of the environment would be no gain.

    At the beginning such a look is a bounded exhaustive check, so the counterexample of a small model
    becomes as short as a check's.
    """
    states = [start.state]
    for action in actions:
        states.append(graph.apply(states[-1], action))
    look = _Look(graph, judge, prop, at_rest=judge.judge(states[-1]) is None)
    for at in range(len(actions) - 1, -1, -1):
        left = deviations_max - sum(not is_plain(action) for action in actions[:at])
        way, met = look.from_(states[at], len(actions) - at - 1, left)
        yield Shortcut(None if way is None else [*actions[:at], *way], met)


Node = tuple[State, int]
"""A state, and how many actions that are not plain led there."""


class _Look:
    """Looks for a violation of one property."""

    def __init__(self, graph: Graph, judge: Judge, prop: str, *, at_rest: bool) -> None:
        self.graph = graph
        self.judge = judge
        self.prop = prop
        self.at_rest = at_rest
        """Whether it shows when everything has come to rest, and not before."""
        self.open = next((p for p in judge.eventually if p.name == prop), None)
        """The `eventually` that must not hold on the way, if the property is one."""

    def from_(self, origin: State, length_max: int, unusual_max: int) -> tuple[list[Action] | None, int]:
        """A shortest way of at most that many actions from `origin` to a violation, and how many states
        were met; None if there is none, or too much was met before."""
        first: Node = (origin, 0)
        parents: dict[Node, tuple[Node, Action] | None] = {first: None}
        queue = deque([(first, 0)])
        while queue:
            node, length = queue.popleft()
            if self.at_rest and self._rests_wrongly(node[0]):
                return _way(parents, node), len(parents)
            if length == length_max:
                continue
            for action in self.graph.actions(node[0]):
                unusual = node[1] + (not is_plain(action))
                if unusual > unusual_max:
                    continue
                after = (self.graph.apply(node[0], action), unusual)
                if after in parents or (self.open is not None and self.open(after[0].locals)):
                    continue
                parents[after] = (node, action)
                found = self.judge.judge(after[0])
                if found is not None and found.property == self.prop:
                    return _way(parents, after), len(parents)
                if len(parents) >= LOOK_MAX:
                    return None, len(parents)
                if found is None:
                    queue.append((after, length + 1))
        return None, len(parents)

    def _rests_wrongly(self, state: State) -> bool:
        if not self.graph.quiescent(state):
            return False
        found = self.judge.judge_quiescent(state)
        return self.open is not None if found is None else found.property == self.prop


def _way(parents: dict[Node, tuple[Node, Action] | None], node: Node) -> list[Action]:
    way: list[Action] = []
    link = parents[node]
    while link is not None:
        node, action = link
        way.append(action)
        link = parents[node]
    return way[::-1]
