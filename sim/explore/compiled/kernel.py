"""The compiled functions. They know integers only; every miss goes back to Python.

An expansion may be cut short anywhere (a row or verdict is unknown, an array is full) and is then begun
again: successors that it had found already are met as known, in the same order.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.explore.compiled.jit import compiled
from sim.explore.compiled.layout import (
    ALWAYS, AT_REST, BASE, BUDGETS, CONSUMED, CURSOR, CUT, CUTS, EDGES, ENOUGH, EVENTUALLY, EXACT,
    FAILED, FIFO, FULL, GENERATED, HEARD_FROM, HEARD_TO, HOT, KEEP_EDGES, LEVEL_DONE, LEVEL_END, LOCAL, LOCALS,
    MAX_SENDS, MAX_STATES, NETWORK, OUTSIDE, PAUSED, PROCESS, PROCESSES, PROGRESS, SENDS_FROM, SENDS_TO, SET,
    SMALL_BUFFERS, SOMETIMES, SPENDS_FROM, SPENDS_TO, STATES, SURROUNDINGS_ROOT, UNKNOWN_ROW, UNKNOWN_VERDICT, USED, VIOLATED, WITHIN,
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
def locate(store: Any, base: Any, exact: Any, cells: Any, length: Any, h: Any) -> Any:
    """The slot of a state: its own, or a free one."""
    mask = np.uint64(store.slots.size - 1)
    i = h & mask
    while store.slots[i] != _ZERO:
        if store.slots[i] == h:
            if not exact:
                break
            known = store.ids[i] - base
            if same_cells(store.cells, store.offsets[known], store.offsets[known + 1], cells, length):
                break
        i = (i + _ONE) & mask
    return i


@compiled
def keep(store: Any, registers: Any, numbered: Any, cells: Any, length: Any, slot: Any, h: Any) -> Any:
    """Adds a state at a free slot; there must be room."""
    number = registers[STATES]
    store.slots[slot] = h
    if numbered:
        store.ids[slot] = number
    used = registers[USED]
    for i in range(length):
        store.cells[used + i] = cells[i]
    registers[USED] = used + length
    store.offsets[number - registers[BASE] + 1] = used + length
    registers[STATES] = number + 1
    return number


@compiled
def verdict(rows: Any, prop: Any, cells: Any) -> Any:
    """What a predicate says: 1, 0, or -1 where it was not asked yet."""
    begin = rows.prop_start[prop]
    node = rows.props[begin]
    for i in range(begin + 1, rows.prop_start[prop + 1]):
        key = (np.uint64(node) << _HALF) | np.uint64(cells[rows.props[i]])
        node = find(rows.pair_keys, rows.pair_values, key)
        if node < 0:
            return node
    return node


@compiled
def surroundings(rows: Any, settings: Any, cells: Any) -> Any:
    """The number of the surroundings of a state, or -1."""
    first, end = settings[LOCALS], settings[LOCALS] + settings[BUDGETS] + settings[CUTS]
    node = np.int32(SURROUNDINGS_ROOT if end > first else 0)
    for i in range(first, end):
        bit = _ONE if cells[i] > 0 else _ZERO
        node = find(rows.pair_keys, rows.pair_values, (np.uint64(node) << _HALF) | bit)
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
def gather(rows: Any, settings: Any, cells: Any, length: Any, around: Any, found: Any) -> Any:
    """The rows of a state, in the order of the plain engine; how many, or -1 where one is unknown."""
    n = 0
    first = settings[LOCALS] + settings[BUDGETS] + settings[CUTS]
    fifo = settings[NETWORK] == FIFO
    last = -1
    for i in range(first, length):
        e = cells[i]
        group = rows.order[e]
        if group == last:
            continue
        last = group
        row = find(rows.row_keys, rows.row_values, row_key(cells[rows.target[e]], e, around, 0))
        if row < 0:
            return -1
        found[n] = row
        n += 1
    if fifo and rows.reaches[around]:
        head = first
        for i in range(first, length):
            e = cells[i]
            if rows.order[e] != rows.order[cells[head]]:
                head = i
            again = False
            for j in range(head, i):
                again = again or cells[j] == e
            if i == head or again:
                continue
            row = find(rows.row_keys, rows.row_values, row_key(cells[rows.target[e]], e, around, 1))
            if row < 0:
                return -1
            found[n] = row
            n += 1
    for i in range(settings[PROCESSES]):
        row = find(rows.row_keys, rows.row_values, row_key(cells[i], -1, around, 0))
        if row < 0:
            return -1
        found[n] = row
        n += 1
    found[n] = rows.around[around]
    return n + 1


@compiled
def apply(rows: Any, settings: Any, cells: Any, length: Any, action: Any, after: Any) -> Any:
    """Writes the state after an action to `after`; its length, or -1 where a monitor's row is unknown."""
    first = settings[LOCALS] + settings[BUDGETS] + settings[CUTS]
    for i in range(first):
        after[i] = cells[i]
    act = rows.actions[action]
    if act[LOCAL] >= 0:
        after[act[PROCESS]] = act[LOCAL]
        for i in range(act[HEARD_FROM], act[HEARD_TO]):
            emission = rows.pool[i]
            node = np.uint64(rows.hear_node[emission]) << _HALF
            for j in range(rows.hear_start[emission], rows.hear_start[emission + 1]):
                monitor = rows.hear_by[j]
                new = find(rows.pair_keys, rows.pair_values, node | np.uint64(after[monitor]))
                if new < 0:
                    return -1
                after[monitor] = new
    for i in range(act[SPENDS_FROM], act[SPENDS_TO]):
        after[settings[LOCALS] + rows.pool[i]] -= 1
    if act[CUT] >= 0:
        after[settings[LOCALS] + settings[BUDGETS] + act[CUT]] ^= 1
    gone = act[CONSUMED]
    k = first
    for i in range(first, length):
        if cells[i] == gone:
            gone = -1
        else:
            after[k] = cells[i]
            k += 1
    for i in range(act[SENDS_FROM], act[SENDS_TO]):
        sent = rows.pool[i]
        place = k
        while place > first and rows.order[after[place - 1]] > rows.order[sent]:
            place -= 1
        if settings[NETWORK] == SET and place > first and after[place - 1] == sent:
            continue
        for j in range(k, place, -1):
            after[j] = after[j - 1]
        after[place] = sent
        k += 1
    return k


@compiled
def judge(rows: Any, settings: Any, cells: Any, marks: Any) -> Any:
    """What to do with a new state: -1 a verdict is missing, 0 it is violated, 1 it is fine."""
    for i in range(settings[LOCALS]):
        if rows.flags[cells[i]] & FAILED:
            return 0
    for prop in range(settings[ALWAYS]):
        said = verdict(rows, prop, cells)
        if said <= 0:
            return said
    prop = settings[ALWAYS]
    for i in range(settings[SOMETIMES]):
        if rows.unseen[i]:
            said = verdict(rows, prop + i, cells)
            if said < 0:
                return -1
            if said:
                rows.unseen[i] = 0
    prop += settings[SOMETIMES]
    for i in range(settings[EVENTUALLY]):
        said = verdict(rows, prop + i, cells)
        if said < 0:
            return -1
        marks[i + 1] = said
    return 1


@compiled
def room(store: Any, registers: Any, settings: Any, length: Any) -> Any:
    """Whether one more state and one more edge fit."""
    states = registers[STATES]
    return (
        states + 1 < store.parent.size
        and states + 2 - registers[BASE] < store.offsets.size
        and registers[USED] + length <= store.cells.size
        and 2 * (states + 1) <= store.slots.size
        and (settings[KEEP_EDGES] == 0 or registers[EDGES] + 1 < store.edge_to.size)
    )


@compiled
def expand(rows: Any, store: Any, settings: Any, registers: Any, before: Any, after: Any, found: Any) -> Any:
    """Expands the state at the cursor; PAUSED if all of it went well, else why not."""
    number = registers[CURSOR]
    begin = store.offsets[number - registers[BASE]]
    length = store.offsets[number - registers[BASE] + 1] - begin
    if length + settings[MAX_SENDS] > after.size or 2 * length + 2 > found.size:
        return SMALL_BUFFERS
    for i in range(length):
        before[i] = store.cells[begin + i]
    edges = settings[KEEP_EDGES] != 0
    numbered = edges or settings[EXACT] != 0
    if edges:
        store.edge_start[number] = store.edge_start[number + 1] = registers[EDGES]
    if settings[WITHIN]:
        said = verdict(rows, settings[ALWAYS] + settings[SOMETIMES] + settings[EVENTUALLY], before)
        if said < 0:
            return UNKNOWN_ROW
        if said == 0:
            registers[OUTSIDE] += 1
            registers[CURSOR] += 1
            return PAUSED
    around = surroundings(rows, settings, before)
    if around < 0:
        return UNKNOWN_ROW
    n = gather(rows, settings, before, length, around, found)
    if n < 0:
        return UNKNOWN_ROW
    quiescent = True
    ordinal = 0
    for r in range(n):
        for a in range(rows.row_start[found[r]], rows.row_start[found[r] + 1]):
            action = rows.row_actions[a]
            k = apply(rows, settings, before, length, action, after)
            if k < 0:
                return UNKNOWN_ROW
            if not room(store, registers, settings, k):
                return FULL
            registers[GENERATED] += 1
            if quiescent and rows.actions[action, PROGRESS] and not same_cells(before, 0, length, after, k):
                quiescent = False
            h = fingerprint(after, k)
            slot = locate(store, registers[BASE], settings[EXACT], after, k, h)
            new = store.slots[slot] == _ZERO
            fine = np.int64(1)
            if new:
                mark = registers[STATES] if edges else 0
                fine = np.int64(judge(rows, settings, after, store.marks[mark]))
                if fine < 0:
                    return UNKNOWN_VERDICT
                reached = keep(store, registers, numbered, after, k, slot, h)
                store.parent[reached] = number
                store.ordinal[reached] = ordinal
            if edges:
                store.edge_to[registers[EDGES]] = store.ids[slot]
                store.edge_action[registers[EDGES]] = action
                registers[EDGES] += 1
            if fine == 0:
                return VIOLATED
            ordinal += 1
    if edges:
        store.edge_start[number + 1] = registers[EDGES]
    registers[CURSOR] += 1
    if quiescent:
        for i in range(settings[LOCALS]):
            if rows.flags[before[i]] & HOT:
                return AT_REST
        if edges:
            store.marks[number, 0] = 1
    if settings[MAX_STATES] and registers[STATES] >= settings[MAX_STATES]:
        return ENOUGH
    return PAUSED


@compiled
def walk(
    rows: Any, store: Any, settings: Any, registers: Any, before: Any, after: Any, found: Any, batch: Any
) -> Any:
    """Expands up to `batch` states of the level; says why it ended."""
    for _ in range(batch):
        if registers[CURSOR] == registers[LEVEL_END]:
            return LEVEL_DONE
        generated, edges = registers[GENERATED], registers[EDGES]
        ended = expand(rows, store, settings, registers, before, after, found)
        if ended in (UNKNOWN_ROW, UNKNOWN_VERDICT, FULL, SMALL_BUFFERS):
            registers[GENERATED], registers[EDGES] = generated, edges
        if ended != PAUSED:
            return ended
    return PAUSED
