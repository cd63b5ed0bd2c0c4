"""Looks breadth first for a shorter way from a state of a failing run to the same violation."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sim.action import Action
from sim.graph import Graph, Start, State
from sim.judge import Evaluated, Judge

LOOK_MAX = 4_000
"""Distinct states that one look may meet."""


class Shortcut(NamedTuple):
    """What one look found: a whole run that is shorter (None: there is none), and how many states it met."""

    actions: list[Action] | None
    looked: int


def shortcuts(graph: Graph, judge: Judge, start: Start, actions: Sequence[Action], prop: str) -> Iterator[Shortcut]:
    """Looks from every state of the run, the last first: there the way to the violation is short.

    At the beginning such a look is a bounded exhaustive check, so the counterexample of a small model
    becomes as short as a check's.
    """
    states = [start.state]
    for action in actions:
        states.append(graph.apply(states[-1], action))
    open_ = next((p for p in judge.eventually if p.name == prop), None)
    for at in range(len(actions) - 1, -1, -1):
        way, looked = _look(graph, judge, states[at], prop, len(actions) - at - 1, open_)
        yield Shortcut(None if way is None else [*actions[:at], *way], looked)


def _look(
    graph: Graph, judge: Judge, origin: State, prop: str, length_max: int, open_: Evaluated | None
) -> tuple[list[Action] | None, int]:
    """A shortest way of at most `length_max` actions from `origin` to a violation of `prop`, and how many
    states were met. `open_` is the `eventually` property that must not hold on the way, if it is one."""
    parents: dict[State, tuple[State, Action] | None] = {origin: None}
    queue = deque([(origin, 0)])
    while queue:
        state, depth = queue.popleft()
        if _rests_wrongly(graph, judge, state, prop, open_):
            return _way(parents, state), len(parents)
        if depth == length_max:
            continue
        for action in graph.actions(state):
            after = graph.apply(state, action)
            if after in parents or (open_ is not None and open_(after.locals)):
                continue
            parents[after] = (state, action)
            found = judge.judge(after)
            if found is not None and found.property == prop:
                return _way(parents, after), len(parents)
            if len(parents) >= LOOK_MAX:
                return None, len(parents)
            if found is None:
                queue.append((after, depth + 1))
    return None, len(parents)


def _rests_wrongly(graph: Graph, judge: Judge, state: State, prop: str, open_: Evaluated | None) -> bool:
    if open_ is not None:
        return graph.quiescent(state)
    at_rest = judge.judge_quiescent(state)
    return at_rest is not None and at_rest.property == prop and graph.quiescent(state)


def _way(parents: dict[State, tuple[State, Action] | None], state: State) -> list[Action]:
    way: list[Action] = []
    link = parents[state]
    while link is not None:
        state, action = link
        way.append(action)
        link = parents[state]
    return way[::-1]
