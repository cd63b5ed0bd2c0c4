"""Judges `eventually` on the edges that a compiled walk has kept. The rules are those of
`sim.checker.liveness`, on numbers: the same order, so the same schedule."""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.checker.compiled.arrays import Array, Mirror
from sim.checker.compiled.jit import compiled
from sim.checker.compiled.layout import DEED, PROGRESS, STATES
from sim.checker.compiled.store import States
from sim.checker.liveness import Edges, Lasso, fair_round
from sim.graph.action import Action
from sim.graph.judge import Evaluated
from sim.world.finding import AT_REST, Finding, endless


def judge_cycles(prop: Evaluated, column: int, states: States, mirror: Mirror, starts: int) -> Lasso | None:
    """See `judge_eventually`; `column` is the number of the property, `starts` of the initial states."""
    count = int(states.registers[STATES])
    holds: Array = np.ascontiguousarray(states.marks[:count, 1 + column])
    order, via, origin = (np.full(count, -1, np.int64) for _ in range(3))
    met = avoiding(holds, states.edge_start, states.edge_to, np.int64(starts), order, via, origin)
    order = order[:met]
    resting = np.flatnonzero(states.marks[order, 0])
    if len(resting):
        path, start = _path(int(order[resting[0]]), states, mirror, via, origin)
        return Lasso(Finding(prop.name, AT_REST), path, mirror.state(states.cells(start)))
    moves = mirror.rows().actions[:, [PROGRESS, DEED]].copy()
    low, index, stack, work, at = (np.full(count + 1, -1, np.int64) for _ in range(5))
    keys = np.zeros((3, len(mirror.deeds) + 1), np.int64)
    size = fair_component(
        order, via, states.edge_start, states.edge_to, states.edge_action, moves, low, index, stack, work, at, keys
    )
    if not size:
        return None
    members = [int(n) for n in stack[:size]]
    rank = {int(n): i for i, n in enumerate(order)}
    first = min(members, key=rank.__getitem__)
    path, start = _path(first, states, mirror, via, origin)
    component, edges = _as_plain(members, states, mirror)
    tour = fair_round(component, edges, mirror.state(states.cells(first)))
    return Lasso(Finding(prop.name, endless(len(tour))), path + tour, mirror.state(states.cells(start)))


def warm() -> None:
    """Makes or loads the compiled code of this module, on a graph without states."""
    long, short = np.zeros(1, np.int64), np.zeros(1, np.int32)
    none = long[:0]
    avoiding(np.zeros(0, np.uint8), long, short, np.int64(0), none, none, none)
    moves, keys = np.zeros((1, 2), np.int32), np.zeros((3, 1), np.int64)
    fair_component(none, none, long, short, short, moves, long, long, long, long, long, keys)


def _path(number: int, states: States, mirror: Mirror, via: Array, origin: Array) -> tuple[list[Action], int]:
    path: list[Action] = []
    while origin[number] >= 0:
        path.append(mirror.action_list[int(states.edge_action[via[number]])])
        number = int(origin[number])
    return path[::-1], number


def _as_plain(members: list[int], states: States, mirror: Mirror) -> tuple[set[Any], Edges]:
    """A component as the plain engine has it."""
    edges = Edges()
    component = set()
    for number in members:
        state = mirror.state(states.cells(number))
        component.add(state)
        for e in range(int(states.edge_start[number]), int(states.edge_start[number + 1])):
            action = mirror.action_list[int(states.edge_action[e])]
            edges.add(state, action, mirror.state(states.cells(int(states.edge_to[e]))))
    return component, edges


@compiled
def avoiding(holds: Any, edge_start: Any, edge_to: Any, starts: Any, order: Any, via: Any, origin: Any) -> Any:
    """The states that are reached without the predicate, breadth first, into `order`; how many. `via`
    gets the edge that led to each (-2: a start), `origin` the state it came from."""
    met = 0
    for number in range(starts):
        if not holds[number]:
            via[number] = -2
            order[met] = number
            met += 1
    done = 0
    while done < met:
        number = order[done]
        done += 1
        for e in range(edge_start[number], edge_start[number + 1]):
            after = edge_to[e]
            if via[after] == -1 and not holds[after]:
                via[after] = e
                origin[after] = number
                order[met] = after
                met += 1
    return met


@compiled
def is_fair(
    members: Any, begin: Any, end: Any, component: Any, index: Any,
    edge_start: Any, edge_to: Any, edge_action: Any, moves: Any, keys: Any,
) -> Any:  # fmt: skip
    """Whether every progress action enabled in all members is taken inside. `index` is -`component` for
    members; `keys` holds for each key: in how many members enabled, last counted in, taken inside."""
    keys[:, :] = 0
    for m in range(begin, end):
        number = members[m]
        for e in range(edge_start[number], edge_start[number + 1]):
            action, after = edge_action[e], edge_to[e]
            if moves[action, 0] and after != number:
                key = moves[action, 1]
                if keys[1, key] != m + 1:
                    keys[1, key] = m + 1
                    keys[0, key] += 1
                if index[after] == component:
                    keys[2, key] = 1
    for key in range(keys.shape[1]):  # noqa: SIM110
        if keys[0, key] == end - begin and not keys[2, key]:
            return False
    return True


@compiled
def close(number: Any, stack: Any, height: Any, index: Any, label: Any) -> Any:
    """Gives the members of a finished component their label; where on the stack it begins."""
    begin = height
    while True:
        begin -= 1
        index[stack[begin]] = label
        if stack[begin] == number:
            return begin


@compiled
def fair_component(
    order: Any, via: Any, edge_start: Any, edge_to: Any, edge_action: Any, moves: Any,
    low: Any, index: Any, stack: Any, work: Any, at: Any, keys: Any,
) -> Any:  # fmt: skip
    """The first fair strongly connected component of more than one state, under progress among the states
    of `order` (Tarjan, without recursion); its size, and its members at the front of `stack`.

    `index` of a state is its number in the search while it is on the stack, then the label of its
    component, -2 or less.
    """
    met, height, label = 0, 0, -1
    for r in range(order.size):
        if index[order[r]] != -1:
            continue
        deep, fresh = -1, order[r]
        while fresh >= 0 or deep >= 0:
            if fresh >= 0:
                deep += 1
                work[deep] = stack[height] = fresh
                at[fresh] = edge_start[fresh]
                index[fresh] = low[fresh] = met
                met += 1
                height += 1
                fresh = -1
            number = work[deep]
            while fresh < 0 and at[number] < edge_start[number + 1]:
                e = at[number]
                at[number] += 1
                after = edge_to[e]
                if moves[edge_action[e], 0] and after != number and via[after] != -1:
                    if index[after] == -1:
                        fresh = np.int64(after)
                    elif index[after] >= 0:
                        low[number] = min(low[number], index[after])
            if fresh >= 0:
                continue
            deep -= 1
            if deep >= 0:
                low[work[deep]] = min(low[work[deep]], low[number])
            if low[number] == index[number]:
                label -= 1
                begin = close(number, stack, height, index, label)
                if height - begin > 1 and is_fair(
                    stack, begin, height, label, index, edge_start, edge_to, edge_action, moves, keys
                ):
                    for m in range(begin, height):
                        stack[m - begin] = stack[m]
                    return height - begin
                height = begin
    return 0
