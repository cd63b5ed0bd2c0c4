"""The compiled functions. They know integers only; every miss goes back to Python.

An expansion may be cut short anywhere (a row or verdict is unknown, an array is full) and is then begun
again: successors that it had found already are met as known, in the same order.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.explore.compiled.jit import compiled
from sim.explore.compiled.layout import (
    ALWAYS,
    AT_REST,
    BASE,
    BUDGETS,
    CONSUMED,
    CURSOR,
    CUT,
    CUTS,
    EDGES,
    ENOUGH,
    EVENTUALLY,
    EXACT,
    FAILED,
    FIFO,
    FULL,
    GENERATED,
    HEARD_FROM,
    HEARD_TO,
    HEARING,
    HOT,
    KEEP_EDGES,
    LEVEL_DONE,
    LEVEL_END,
    LOCAL,
    LOCALS,
    MAX_SENDS,
    MAX_STATES,
    NETWORK,
    OUTSIDE,
    PAUSED,
    PROCESS,
    PROCESSES,
    PROGRESS,
    SENDS_FROM,
    SENDS_TO,
    SET,
    SMALL_BUFFERS,
    SOMETIMES,
    SPENDS_FROM,
    SPENDS_TO,
    STATES,
    SURROUNDINGS_ROOT,
    UNKNOWN_HEARING,
    UNKNOWN_ROW,
    UNKNOWN_VERDICT,
    USED,
    VIOLATED,
    WITHIN,
)  # fmt: skip

_EVEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_A = np.uint64(0xBF58476D1CE4E5B9)
_MIX_B = np.uint64(0x94D049BB133111EB)
_ONE = np.uint64(1)
_ZERO = np.uint64(0)
_HALF = np.uint64(32)


@compiled
def scatter(key: Any) -> Any:
    """A place for a key in a table of keys."""
    h = key * _EVEN
    return h ^ (h >> _HALF)


@compiled
def find(keys: Any, values: Any, key: Any) -> Any:
    """The value of a key, or -1."""
    mask = np.uint64(keys.size - 1)
    i = scatter(key) & mask
    while keys[i] != key:
        if keys[i] == _ZERO:
            return np.int32(-1)
        i = (i + _ONE) & mask
    return values[i]


@compiled
def put(keys: Any, values: Any, key: Any, value: Any) -> None:
    """Adds a key, or changes its value; there must be room."""
    mask = np.uint64(keys.size - 1)
    i = scatter(key) & mask
    while keys[i] != _ZERO and keys[i] != key:
        i = (i + _ONE) & mask
    keys[i] = key
    values[i] = value


@compiled
def rehash(keys: Any, values: Any, more_keys: Any, more_values: Any) -> None:
    """Fills a larger table of keys."""
    for i in range(keys.size):
        if keys[i] != _ZERO:
            put(more_keys, more_values, keys[i], values[i])


@compiled
def fingerprint(cells: Any, length: Any) -> Any:
    """64 bits of a state, never 0; two cells are taken in at a time."""
    h = np.uint64(length) * _EVEN
    i = 0
    while i + 1 < length:
        word = np.uint64(np.uint32(cells[i])) | (np.uint64(np.uint32(cells[i + 1])) << _HALF)
        h = (h ^ word) * _MIX_A
        h ^= h >> np.uint64(29)
        i += 2
    if i < length:
        h = (h ^ np.uint64(np.uint32(cells[i]))) * _MIX_A
    h ^= h >> np.uint64(30)
    h *= _MIX_B
    h ^= h >> np.uint64(27)
    h *= _MIX_A
    h ^= h >> np.uint64(31)
    return h if h != _ZERO else _ONE


@compiled
def widen(slots: Any, ids: Any, more_slots: Any, more_ids: Any) -> None:
    """Fills a larger table of fingerprints; equal ones (of an exact walk) stay apart."""
    mask = np.uint64(more_slots.size - 1)
    numbered = ids.size > 1
    for i in range(slots.size):
        if slots[i] != _ZERO:
            j = slots[i] & mask
            while more_slots[j] != _ZERO:
                j = (j + _ONE) & mask
            more_slots[j] = slots[i]
            if numbered:
                more_ids[j] = ids[i]


@compiled
def admit(slots: Any, ids: Any, number: Any, cells: Any, length: Any) -> None:
    """Adds a state that is known to be new; there must be room."""
    mask = np.uint64(slots.size - 1)
    h = fingerprint(cells, length)
    i = h & mask
    while slots[i] != _ZERO:
        i = (i + _ONE) & mask
    slots[i] = h
    if ids.size > 1:
        ids[i] = number


@compiled
def same_cells(cells: Any, begin: Any, end: Any, other: Any, length: Any) -> Any:
    """Whether a state in the store is the one in `other`."""
    if end - begin != length:
        return False
    for i in range(length):  # noqa: SIM110
        if cells[begin + i] != other[i]:
            return False
    return True


@compiled
def locate(
    slots: Any, ids: Any, kept: Any, offsets: Any, base: Any, exact: Any, cells: Any, length: Any, h: Any
) -> Any:
    """The slot of a state: its own, or a free one."""
    mask = np.uint64(slots.size - 1)
    i = h & mask
    while slots[i] != _ZERO:
        if slots[i] == h:
            if not exact:
                break
            known = ids[i] - base
            if same_cells(kept, offsets[known], offsets[known + 1], cells, length):
                break
        i = (i + _ONE) & mask
    return i


@compiled
def verdict(keys: Any, values: Any, prop_start: Any, props: Any, prop: Any, cells: Any) -> Any:
    """What a predicate says: 1, 0, or -1 where it was not asked yet."""
    begin = prop_start[prop]
    node = props[begin]
    for i in range(begin + 1, prop_start[prop + 1]):
        node = find(keys, values, (np.uint64(node) << _HALF) | np.uint64(cells[props[i]]))
        if node < 0:
            return node
    return node


@compiled
def surroundings(keys: Any, values: Any, first: Any, end: Any, cells: Any) -> Any:
    """The number of the surroundings of a state whose budgets and cuts are in these cells, or -1."""
    node = np.int32(SURROUNDINGS_ROOT if end > first else 0)
    for i in range(first, end):
        bit = _ONE if cells[i] > 0 else _ZERO
        node = find(keys, values, (np.uint64(node) << _HALF) | bit)
        if node < 0:
            return node
    return node


@compiled
def row_key(local: Any, envelope: Any, around: Any, behind: Any) -> Any:
    """See `layout`; local value or envelope -1: none."""
    return (
        (np.uint64(local + 1) << np.uint64(40))
        | (np.uint64(envelope + 1) << np.uint64(16))
        | (np.uint64(around) << _ONE)
        | np.uint64(behind)
    )


@compiled
def gather(
    row_keys: Any, row_values: Any, order: Any, target: Any, fifo: Any, reaches: Any,
    cells: Any, first: Any, length: Any, processes: Any, around: Any, found: Any,
) -> Any:  # fmt: skip
    """The rows of a state, in the order of the plain engine; how many, or -1 where one is unknown."""
    n = 0
    last = -1
    for i in range(first, length):
        e = cells[i]
        group = order[e]
        if group == last:
            continue
        last = group
        found[n] = find(row_keys, row_values, row_key(cells[target[e]], e, around, 0))
        if found[n] < 0:
            return -1
        n += 1
    if fifo and reaches:
        head = first
        for i in range(first, length):
            e = cells[i]
            if order[e] != order[cells[head]]:
                head = i
            again = i == head
            for j in range(head, i):
                again = again or cells[j] == e
            if again:
                continue
            found[n] = find(row_keys, row_values, row_key(cells[target[e]], e, around, 1))
            if found[n] < 0:
                return -1
            n += 1
    for i in range(processes):
        found[n] = find(row_keys, row_values, row_key(cells[i], -1, around, 0))
        if found[n] < 0:
            return -1
        n += 1
    return n


@compiled
def hear(
    keys: Any, values: Any, hear_node: Any, hear_start: Any, hear_by: Any, pool: Any, begin: Any, end: Any, after: Any
) -> Any:
    """Lets monitors hear a range of emissions; whether all their rows are known."""
    for i in range(begin, end):
        emission = pool[i]
        node = np.uint64(hear_node[emission]) << _HALF
        for j in range(hear_start[emission], hear_start[emission + 1]):
            monitor = hear_by[j]
            new = find(keys, values, node | np.uint64(after[monitor]))
            if new < 0:
                return False
            after[monitor] = new
    return True


@compiled
def exchange(
    order: Any, pool: Any, is_set: Any, cells: Any, first: Any, length: Any, gone: Any, begin: Any, end: Any, after: Any
) -> Any:
    """What is in flight after one envelope left (-1: none) and a range was sent; the new length."""
    k = first
    for i in range(first, length):
        if cells[i] == gone:
            gone = -1
        else:
            after[k] = cells[i]
            k += 1
    for i in range(begin, end):
        sent = pool[i]
        place = k
        while place > first and order[after[place - 1]] > order[sent]:
            place -= 1
        if is_set and place > first and after[place - 1] == sent:
            continue
        for j in range(k, place, -1):
            after[j] = after[j - 1]
        after[place] = sent
        k += 1
    return k


@compiled
def judge(
    keys: Any, values: Any, prop_start: Any, props: Any, settings: Any, flags: Any, unseen: Any,
    cells: Any, marks: Any, mark: Any,
) -> Any:  # fmt: skip
    """What to do with a new state: -1 a verdict is missing, 0 it is violated, 1 it is fine."""
    for i in range(settings[LOCALS]):
        if flags[cells[i]] & FAILED:
            return np.int32(0)
    for prop in range(settings[ALWAYS]):
        said = verdict(keys, values, prop_start, props, prop, cells)
        if said <= 0:
            return said
    prop = settings[ALWAYS]
    for i in range(settings[SOMETIMES]):
        if unseen[i]:
            said = verdict(keys, values, prop_start, props, prop + i, cells)
            if said < 0:
                return said
            if said:
                unseen[i] = 0
    prop += settings[SOMETIMES]
    for i in range(settings[EVENTUALLY]):
        said = verdict(keys, values, prop_start, props, prop + i, cells)
        if said < 0:
            return said
        marks[mark, i + 1] = said
    return np.int32(1)


@compiled
def expand(
    rows: Any, store: Any, settings: Any, registers: Any, before: Any, after: Any, found: Any, batch: Any
) -> Any:
    """Expands up to `batch` states of the level; says why it ended. What is cut short is begun again."""
    (
        row_keys, row_values, row_start, row_actions, actions, pool, keys, values, order, target, flags,
        arounds, reaches, hear_node, hear_start, hear_by, prop_start, props, unseen,
    ) = rows  # fmt: skip
    slots, ids, kept, offsets, parents, ordinals, edge_start, edge_to, edge_action, marks = store
    edges, exact, most = settings[KEEP_EDGES] != 0, settings[EXACT] != 0, settings[MAX_STATES]
    locals_, budgets = settings[LOCALS], settings[LOCALS] + settings[BUDGETS]
    first, base = budgets + settings[CUTS], registers[BASE]
    fifo, is_set = settings[NETWORK] == FIFO, settings[NETWORK] == SET
    within = settings[ALWAYS] + settings[SOMETIMES] + settings[EVENTUALLY]
    for number in range(registers[CURSOR], min(registers[CURSOR] + batch, registers[LEVEL_END])):
        registers[CURSOR] = number
        begin = offsets[number - base]
        length = offsets[number - base + 1] - begin
        if length + settings[MAX_SENDS] > after.size or 2 * length + 2 > found.size:
            return SMALL_BUFFERS
        for i in range(length):
            before[i] = kept[begin + i]
        generated, edge, used = registers[GENERATED], registers[EDGES], registers[USED]
        if edges:
            edge_start[number] = edge_start[number + 1] = edge
        if settings[WITHIN]:
            said = verdict(keys, values, prop_start, props, within, before)
            if said < 0:
                return UNKNOWN_ROW
            if said == 0:
                registers[OUTSIDE] += 1
                registers[CURSOR] = number + 1
                continue
        around = surroundings(keys, values, locals_, first, before)
        if around < 0:
            return UNKNOWN_ROW
        n = gather(
            row_keys, row_values, order, target, fifo, reaches[around],
            before, first, length, settings[PROCESSES], around, found,
        )  # fmt: skip
        if n < 0:
            return UNKNOWN_ROW
        found[n] = arounds[around]
        quiescent = True
        ordinal = 0
        for r in range(n + 1):
            for a in range(row_start[found[r]], row_start[found[r] + 1]):
                action = row_actions[a]
                for i in range(first):
                    after[i] = before[i]
                if actions[action, LOCAL] >= 0:
                    after[actions[action, PROCESS]] = actions[action, LOCAL]
                    heard, heard_end = actions[action, HEARD_FROM], actions[action, HEARD_TO]
                    if heard < heard_end and not hear(
                        keys, values, hear_node, hear_start, hear_by, pool, heard, heard_end, after
                    ):
                        registers[HEARING] = action
                        return UNKNOWN_HEARING
                for i in range(actions[action, SPENDS_FROM], actions[action, SPENDS_TO]):
                    after[locals_ + pool[i]] -= 1
                if actions[action, CUT] >= 0:
                    after[budgets + actions[action, CUT]] ^= 1
                k = exchange(
                    order, pool, is_set, before, first, length, actions[action, CONSUMED],
                    actions[action, SENDS_FROM], actions[action, SENDS_TO], after,
                )  # fmt: skip
                generated += 1
                if quiescent and actions[action, PROGRESS] and not same_cells(before, 0, length, after, k):
                    quiescent = False
                h = fingerprint(after, k)
                slot = locate(slots, ids, kept, offsets, base, exact, after, k, h)
                fine = np.int32(1)
                if slots[slot] == _ZERO:
                    new = registers[STATES]
                    if most and new >= most:
                        registers[GENERATED] = generated
                        return ENOUGH
                    if new + 2 > parents.size or new + 3 - base > offsets.size or used + k > kept.size:
                        return FULL
                    if 2 * (new + 1) > slots.size or (edges and new + 2 > edge_start.size):
                        return FULL
                    fine = judge(
                        keys, values, prop_start, props, settings, flags, unseen, after, marks, new if edges else 0
                    )
                    if fine < 0:
                        return UNKNOWN_VERDICT
                    slots[slot] = h
                    if edges or exact:
                        ids[slot] = new
                    for i in range(k):
                        kept[used + i] = after[i]
                    used += k
                    offsets[new - base + 1] = used
                    parents[new] = number
                    ordinals[new] = ordinal
                    registers[USED] = used
                    registers[STATES] = new + 1
                if edges:
                    if edge + 1 > edge_to.size:
                        return FULL
                    edge_to[edge] = ids[slot]
                    edge_action[edge] = action
                    edge += 1
                if fine == 0:
                    registers[GENERATED], registers[EDGES] = generated, edge
                    return VIOLATED
                ordinal += 1
        registers[GENERATED], registers[EDGES] = generated, edge
        registers[CURSOR] = number + 1
        if edges:
            edge_start[number + 1] = edge
        if quiescent:
            for i in range(locals_):
                if flags[before[i]] & HOT:
                    return AT_REST
            if edges:
                marks[number, 0] = 1
    return LEVEL_DONE if registers[CURSOR] == registers[LEVEL_END] else PAUSED
