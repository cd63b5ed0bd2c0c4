"""Walks over a graph that was explored, on numbers alone: what is reached, and the strongly connected components.

States are numbered as a breadth-first walk met them; the edges of state `n` are `edge_start[n] .. edge_start[n + 1]`, each
with the state it leads to and the number of its action. Everything here is written so that it runs as it stands on
lists, and compiled on arrays (`sim.checker.compiled.cycles`).
"""

from __future__ import annotations

from typing import Any

SOURCE, UNMET = -2, -1
"""In `via`: where a walk begins; what it has not met. All else is the edge that led there."""

ROOT, DEEP, FRESH, MET, HEIGHT, LABEL, SPENT = range(7)
REGISTERS = 7
"""Where the search for components stands, so that it may pause; LABEL counts down from -1, one for each component."""


def reach(
    begins: Any, stays: Any, depth: Any, edge_start: Any, edge_to: Any, order: Any, via: Any, origin: Any
) -> Any:  # fmt: skip
    """Walks from every state in `begins` on, as long as it stays in `stays`; the states it meets go into `order`, nearest
    first (as many steps as `depth` says to where it begins, and those from there on); how many they are."""
    met, done, asked, level = 0, 0, 0, 0
    while True:
        while asked < len(begins) and depth[asked] <= level:
            if begins[asked] and stays[asked] and via[asked] == UNMET:
                via[asked] = SOURCE
                order[met] = asked
                met += 1
            asked += 1
        end = met
        while done < end:
            number = order[done]
            done += 1
            for e in range(edge_start[number], edge_start[number + 1]):
                after = edge_to[e]
                if via[after] == UNMET and stays[after]:
                    via[after] = e
                    origin[after] = number
                    order[met] = after
                    met += 1
        if done == met:
            if asked == len(begins):
                return met
            level = depth[asked]
        else:
            level += 1


def is_fair(
    members: Any, begin: Any, end: Any, label: Any, index: Any,
    edge_start: Any, edge_to: Any, edge_action: Any, moves: Any, keys: Any, tally: Any,
) -> Any:  # fmt: skip
    """Whether every progress action enabled in all members is taken inside. `index` is `label` for members; `tally` holds
    for each key: the component it was counted for, in how many members, the last of them, where it was taken."""
    for m in range(begin, end):
        number = members[m]
        for e in range(edge_start[number], edge_start[number + 1]):
            action, after = edge_action[e], edge_to[e]
            if moves[action] and after != number:
                key = keys[action]
                if tally[0][key] != label:
                    tally[0][key] = label
                    tally[1][key] = 0
                    tally[2][key] = -1
                if tally[2][key] != number:
                    tally[2][key] = number
                    tally[1][key] += 1
                if index[after] == label:
                    tally[3][key] = label
    number = members[begin]
    for e in range(edge_start[number], edge_start[number + 1]):
        action = edge_action[e]
        if moves[action] and edge_to[e] != number:
            key = keys[action]
            if tally[1][key] == end - begin and tally[3][key] != label:
                return False
    return True


def close(number: Any, stack: Any, height: Any, index: Any, label: Any) -> Any:
    """Gives the members of a finished component their label; where on the stack it begins."""
    begin = height
    while True:
        begin -= 1
        index[stack[begin]] = label
        if stack[begin] == number:
            return begin


def touches(members: Any, begin: Any, end: Any, touch: Any) -> Any:
    """Whether some member is in `touch`."""
    for m in range(begin, end):  # noqa: SIM110
        if touch[members[m]]:
            return True
    return False


def components(
    order: Any, met: Any, via: Any, touch: Any, edge_start: Any, edge_to: Any, edge_action: Any, moves: Any, keys: Any,
    tally: Any, low: Any, index: Any, stack: Any, work: Any, at: Any, fair: Any, registers: Any, steps: Any,
) -> Any:  # fmt: skip
    """The strongly connected components under progress among the states of `order` (Tarjan, without recursion), and which
    of them are rounds: of more than one state, fair, with a state in `touch`. Says whether it is done, or pauses after
    so many steps.

    `index` of a state is its number in the search while it is on the stack, then the label of its component, -2 or less;
    `fair` says it of each component, by -2 - label.
    """
    spent = 0
    while registers[FRESH] >= 0 or registers[DEEP] >= 0 or registers[ROOT] < met:
        if registers[FRESH] < 0 and registers[DEEP] < 0:
            root = order[registers[ROOT]]
            registers[ROOT] += 1
            if index[root] == -1:
                registers[FRESH] = root
            continue
        if spent > steps:
            return False
        if registers[FRESH] >= 0:
            fresh = registers[FRESH]
            registers[DEEP] += 1
            work[registers[DEEP]] = stack[registers[HEIGHT]] = fresh
            at[fresh] = edge_start[fresh]
            index[fresh] = low[fresh] = registers[MET]
            registers[MET] += 1
            registers[HEIGHT] += 1
            registers[FRESH] = -1
        number = work[registers[DEEP]]
        while registers[FRESH] < 0 and at[number] < edge_start[number + 1]:
            e = at[number]
            at[number] += 1
            spent += 1
            after = edge_to[e]
            if moves[edge_action[e]] and after != number and via[after] != UNMET:
                if index[after] == -1:
                    registers[FRESH] = after
                elif index[after] >= 0:
                    low[number] = min(low[number], index[after])
        if registers[FRESH] >= 0:
            continue
        registers[DEEP] -= 1
        if registers[DEEP] >= 0:
            above = work[registers[DEEP]]
            low[above] = min(low[above], low[number])
        if low[number] == index[number]:
            registers[LABEL] -= 1
            label, end = registers[LABEL], registers[HEIGHT]
            begin = close(number, stack, end, index, label)
            registers[HEIGHT] = begin
            fair[-2 - label] = (
                end - begin > 1
                and touches(stack, begin, end, touch)
                and is_fair(stack, begin, end, label, index, edge_start, edge_to, edge_action, moves, keys, tally)
            )
    return True
