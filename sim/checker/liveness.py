"""Judges `eventually`: no run that makes progress may avoid the predicate forever.

A run avoids it if it stays among states where the predicate does not hold until it is quiescent, or follows a cycle of
progress actions there forever. A cycle counts only if it is fair: an action that is enabled on the whole cycle is taken
somewhere on it (weak fairness on progress actions). It is enough to look at maximal strongly connected components: what
is enabled everywhere in one is enabled everywhere in each of its parts, and has fewer edges there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from sim.graph.action import Action
from sim.graph.judge import Evaluated
from sim.graph.state import State
from sim.world.finding import AT_REST, Finding, endless


class Edges:
    """The edges of the explored graph, and the states in which it comes to rest."""

    def __init__(self) -> None:
        self.out: dict[State, list[tuple[Action, State]]] = {}
        self.resting: set[State] = set()

    def add(self, state: State, action: Action, after: State) -> None:
        self.out.setdefault(state, []).append((action, after))

    def rest(self, state: State) -> None:
        self.resting.add(state)


class Lasso(NamedTuple):
    """A schedule that avoids the predicate: to rest, or round a cycle."""

    finding: Finding
    path: list[Action]
    start: State


def judge_eventually(prop: Evaluated, edges: Edges, starts: list[State]) -> Lasso | None:
    """A shortest schedule that avoids `prop` up to quiescence, or one into a fair cycle that avoids it."""
    parents = _avoiding(prop, edges, starts)
    for state in parents:
        if state in edges.resting:
            return Lasso(Finding(prop.name, AT_REST), *_path(parents, state))
    for component in _components(parents, edges):
        if _fair(component, edges):
            state = next(s for s in parents if s in component)
            path, start = _path(parents, state)
            cycle = fair_round(component, edges, state)
            return Lasso(Finding(prop.name, endless(len(cycle))), path + cycle, start)
    return None


Parents = dict[State, tuple[State, Action] | None]


def _avoiding(prop: Evaluated, edges: Edges, starts: list[State]) -> Parents:
    """The states that can be reached without `prop` ever holding, breadth first."""
    parents: Parents = {state: None for state in starts if not prop(state.locals)}
    queue = deque(parents)
    while queue:
        state = queue.popleft()
        for action, after in edges.out.get(state, ()):
            if after not in parents and not prop(after.locals):
                parents[after] = (state, action)
                queue.append(after)
    return parents


def _path(parents: Parents, state: State) -> tuple[list[Action], State]:
    path: list[Action] = []
    link = parents[state]
    while link is not None:
        state, action = link
        path.append(action)
        link = parents[state]
    return path[::-1], state


def _progress(state: State, edges: Edges) -> list[tuple[Action, State]]:
    return [(a, after) for a, after in edges.out.get(state, ()) if a.progress and after != state]


def _components(among: Parents, edges: Edges) -> list[set[State]]:
    """Strongly connected components of more than one state, under progress (Tarjan, without recursion)."""
    index: dict[State, int] = {}
    low: dict[State, int] = {}
    stack: list[State] = []
    on_stack: set[State] = set()
    found: list[set[State]] = []
    for root in among:
        if root in index:
            continue
        work = [(root, iter(_progress(root, edges)))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            state, successors = work[-1]
            after = next((after for _, after in successors if after in among), None)
            if after is not None:
                if after not in index:
                    index[after] = low[after] = len(index)
                    stack.append(after)
                    on_stack.add(after)
                    work.append((after, iter(_progress(after, edges))))
                elif after in on_stack:
                    low[state] = min(low[state], index[after])
                continue
            work.pop()
            if work:
                low[work[-1][0]] = min(low[work[-1][0]], low[state])
            if low[state] == index[state]:
                component = set()
                while True:
                    member = stack.pop()
                    on_stack.discard(member)
                    component.add(member)
                    if member == state:
                        break
                if len(component) > 1:
                    found.append(component)
    return found


def _owed(state: State, edges: Edges) -> set[bytes]:
    """The progress actions enabled in a state, whatever they choose."""
    return {action.deed for action, _ in _progress(state, edges)}


def _fair(component: set[State], edges: Edges) -> bool:
    """Whether every progress action enabled in all states of the component is taken inside it."""
    always = set.intersection(*(_owed(state, edges) for state in component))
    taken = {a.deed for state in component for a, after in _progress(state, edges) if after in component}
    return always <= taken


def fair_round(component: set[State], edges: Edges, start: State) -> list[Action]:
    """A fair cycle of progress through `start` inside the component: the shortest, and as long as that is
    not fair, detours to where what waits is taken, or is not enabled."""
    steps = _way(component, edges, start, lambda _, after: after == start)
    while True:
        passed = [_owed(after, edges) for _, after in steps]
        waiting = set.intersection(*passed) - {action.deed for action, _ in steps}
        if not waiting:
            return [action for action, _ in steps]
        steps += _way(component, edges, start, partial(_settles, edges, min(waiting)))
        if steps[-1][1] != start:
            steps += _way(component, edges, steps[-1][1], lambda _, after: after == start)


def _settles(edges: Edges, deed: bytes, action: Action, after: State) -> bool:
    """Whether this step takes what waits, or leads to where it is not enabled."""
    return action.deed == deed or deed not in _owed(after, edges)


def _way(
    component: set[State], edges: Edges, start: State, arrived: Callable[[Action, State], bool]
) -> list[tuple[Action, State]]:
    """A shortest way from `start` inside the component whose last step has `arrived`."""
    ways: dict[State, list[tuple[Action, State]]] = {start: []}
    queue = deque([start])
    while queue:
        state = queue.popleft()
        for action, after in _progress(state, edges):
            if after not in component:
                continue
            way = [*ways[state], (action, after)]
            if arrived(action, after):
                return way
            if after not in ways:
                ways[after] = way
                queue.append(after)
    raise AssertionError("a component is strongly connected")
