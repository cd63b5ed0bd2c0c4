"""The compiled functions. They know integers only; every miss goes back to Python.

An expansion may be cut short anywhere (a row or verdict is unknown, an array is full) and is then begun
again: successors that it had found already are met as known, in the same order.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.explore.compiled.jit import compiled, inlined
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
    FLYING,
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
    QUIET,
    SENDS_FROM,
    SENDS_TO,
    SET,
    SMALL_BUFFERS,
    SOMETIMES,
    SPENDS_FROM,
    SPENDS_TO,
    STATES,
    SURROUNDINGS_ROOT,
    TOUCHED,
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


@inlined
def scatter(key: Any) -> Any:
    """A place for a key in a table of keys."""
    h = key * _EVEN
    return h ^ (h >> _HALF)


@inlined
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
def put_all(keys: Any, values: Any, more_keys: Any, more_values: Any) -> None:
    """Adds all of `more_keys` but 0; they must be new, and there must be room."""
    mask = np.uint64(keys.size - 1)
    for n in range(more_keys.size):
        if more_keys[n] != _ZERO:
            i = scatter(more_keys[n]) & mask
            while keys[i] != _ZERO:
                i = (i + _ONE) & mask
            keys[i] = more_keys[n]
            values[i] = more_values[n]


@inlined
def mark(place: Any, value: Any) -> Any:
    """64 bits for a value at a place (the finaliser of splitmix64, see `sim.mixer`)."""
    z = ((np.uint64(place) << _HALF) | np.uint64(value)) + _EVEN
    z = (z ^ (z >> np.uint64(30))) * _MIX_A
    z = (z ^ (z >> np.uint64(27))) * _MIX_B
    return z ^ (z >> np.uint64(31))


@inlined
def total(cells: Any, first: Any, length: Any, order: Any) -> Any:
    """The sum of the marks of a state: of its fixed cells, and of each envelope at its place among the equal
    ones (or in its queue). A step changes few terms, so that the sum of a successor need not read it all."""
    h = _ZERO
    for i in range(first):
        h += mark(i, cells[i])
    nth = FLYING
    for i in range(first, length):
        nth = nth + 1 if i > first and order[cells[i]] == order[cells[i - 1]] else FLYING
        h += mark(nth, cells[i])
    return h


@inlined
def fingerprint(h: Any) -> Any:
    """The fingerprint of a state with this sum; never 0."""
    h = (h ^ (h >> np.uint64(32))) * _MIX_A
    h ^= h >> np.uint64(29)
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
def admit(slots: Any, ids: Any, number: Any, cells: Any, first: Any, length: Any, order: Any) -> None:
    """Adds a state that is known to be new; there must be room."""
    mask = np.uint64(slots.size - 1)
    h = fingerprint(total(cells, first, length, order))
    i = h & mask
    while slots[i] != _ZERO:
        i = (i + _ONE) & mask
    slots[i] = h
    if ids.size > 1:
        ids[i] = number


@inlined
def same_cells(cells: Any, begin: Any, end: Any, other: Any, length: Any) -> Any:
    """Whether a state in the store is the one in `other`."""
    if end - begin != length:
        return False
    for i in range(length):  # noqa: SIM110
        if cells[begin + i] != other[i]:
            return False
    return True


@inlined
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


@inlined
def verdict(keys: Any, values: Any, prop_start: Any, props: Any, prop: Any, cells: Any) -> Any:
    """What a predicate says: 1, 0, or -1 where it was not asked yet."""
    begin = prop_start[prop]
    node = props[begin]
    for i in range(begin + 1, prop_start[prop + 1]):
        node = find(keys, values, (np.uint64(node) << _HALF) | np.uint64(cells[props[i]]))
        if node < 0:
            return node
    return node


@inlined
def surroundings(keys: Any, values: Any, first: Any, end: Any, cells: Any) -> Any:
    """The number of the surroundings of a state whose budgets and cuts are in these cells, or -1."""
    node = np.int32(SURROUNDINGS_ROOT if end > first else 0)
    for i in range(first, end):
        bit = _ONE if cells[i] > 0 else _ZERO
        node = find(keys, values, (np.uint64(node) << _HALF) | bit)
        if node < 0:
            return node
    return node


@inlined
def row_key(local: Any, envelope: Any, around: Any, behind: Any) -> Any:
    """See `layout`; local value or envelope -1: none."""
    return (
        (np.uint64(local + 1) << np.uint64(40))
        | (np.uint64(envelope + 1) << np.uint64(16))
        | (np.uint64(around) << _ONE)
        | np.uint64(behind)
    )


@inlined
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


@inlined
def hear(
    keys: Any, values: Any, hear_node: Any, hear_start: Any, hear_by: Any, pool: Any, begin: Any, end: Any,
    after: Any, h: Any,
) -> Any:  # fmt: skip
    """Lets monitors hear a range of emissions: whether all their rows are known, and the sum."""
    for i in range(begin, end):
        emission = pool[i]
        node = np.uint64(hear_node[emission]) << _HALF
        for j in range(hear_start[emission], hear_start[emission + 1]):
            monitor = hear_by[j]
            new = find(keys, values, node | np.uint64(after[monitor]))
            if new < 0:
                return False, h
            h += mark(monitor, new) - mark(monitor, after[monitor])
            after[monitor] = new
    return True, h


@inlined
def change(
    actions: Any, action: Any, pool: Any, before: Any, first: Any, budgets: Any, cuts: Any, after: Any, h: Any
) -> Any:
    """Writes the fixed cells after an action to `after`, all but what monitors hear; the sum."""
    for i in range(first):
        after[i] = before[i]
    if actions[action, LOCAL] >= 0:
        at = actions[action, PROCESS]
        after[at] = actions[action, LOCAL]
        h += mark(at, after[at]) - mark(at, before[at])
    for i in range(actions[action, SPENDS_FROM], actions[action, SPENDS_TO]):
        at = budgets + pool[i]
        h -= mark(at, after[at])
        after[at] -= 1
        h += mark(at, after[at])
    if actions[action, CUT] >= 0:
        at = cuts + actions[action, CUT]
        after[at] ^= 1
        h += mark(at, after[at]) - mark(at, before[at])
    return h


@inlined
def count(cells: Any, first: Any, length: Any, envelope: Any) -> Any:
    """How often an envelope is in flight."""
    n = 0
    for i in range(first, length):
        n += cells[i] == envelope
    return n


@inlined
def exchange_sum(
    is_set: Any, pool: Any, cells: Any, first: Any, length: Any, gone: Any, begin: Any, end: Any, h: Any
) -> Any:
    """The sum after one envelope left (-1: none) and a range was sent, in a network without queues."""
    if gone >= 0:
        h -= mark(FLYING + count(cells, first, length, gone) - 1, gone)
    for i in range(begin, end):
        sent = pool[i]
        n = count(cells, first, length, sent) - (sent == gone)
        for j in range(begin, i):
            n += pool[j] == sent
        if not (is_set and n):
            h += mark(FLYING + n, sent)
    return h


@inlined
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


@inlined
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


@inlined
def outline(
    rows: Any, settings: Any, registers: Any, slots: Any, before: Any, length: Any, after: Any,
    found: Any, steps: Any, sums: Any,
) -> Any:  # fmt: skip
    """The actions of a state into `steps`, and the sums of its successors into `sums`; how many.

    Stops before an action whose monitors have an unknown row (it is then in HEARING, else -1). Each slot is
    looked at already here: so the misses of the processor's cache overlap.
    """
    first, budgets = settings[LOCALS] + settings[BUDGETS] + settings[CUTS], settings[LOCALS]
    cuts, is_set = budgets + settings[BUDGETS], settings[NETWORK] == SET
    whole = settings[EXACT] != 0 or settings[NETWORK] == FIFO
    here = total(before, first, length, rows.order)
    mask = np.uint64(slots.size - 1)
    met = _ZERO
    n = 0
    registers[HEARING] = -1
    r = 0
    while found[r] >= 0:
        for a in range(rows.row_start[found[r]], rows.row_start[found[r] + 1]):
            action = rows.row_actions[a]
            h = change(rows.actions, action, rows.pool, before, first, budgets, cuts, after, here)
            heard, heard_end = rows.actions[action, HEARD_FROM], rows.actions[action, HEARD_TO]
            if heard < heard_end:
                known, h = hear(
                    rows.pair_keys, rows.pair_values, rows.hear_node, rows.hear_start, rows.hear_by, rows.pool,
                    heard, heard_end, after, h,
                )  # fmt: skip
                if not known:
                    registers[HEARING] = action
                    return n
            gone, sent = rows.actions[action, CONSUMED], rows.actions[action, SENDS_FROM]
            sent_end = rows.actions[action, SENDS_TO]
            if whole:
                k = exchange(rows.order, rows.pool, is_set, before, first, length, gone, sent, sent_end, after)
                h = total(after, first, k, rows.order)
            else:
                h = exchange_sum(is_set, rows.pool, before, first, length, gone, sent, sent_end, h)
            met |= slots[fingerprint(h) & mask]
            steps[n] = action
            sums[n] = h
            n += 1
        r += 1
    sums[n] = here
    registers[TOUCHED] = np.int64(met)
    return n


@inlined
def build(rows: Any, settings: Any, before: Any, length: Any, action: Any, after: Any) -> Any:
    """Writes the state after an action to `after`; its length. All rows of monitors must be known."""
    first, budgets = settings[LOCALS] + settings[BUDGETS] + settings[CUTS], settings[LOCALS]
    change(rows.actions, action, rows.pool, before, first, budgets, budgets + settings[BUDGETS], after, _ZERO)
    hear(
        rows.pair_keys, rows.pair_values, rows.hear_node, rows.hear_start, rows.hear_by, rows.pool,
        rows.actions[action, HEARD_FROM], rows.actions[action, HEARD_TO], after, _ZERO,
    )  # fmt: skip
    return exchange(
        rows.order, rows.pool, settings[NETWORK] == SET, before, first, length, rows.actions[action, CONSUMED],
        rows.actions[action, SENDS_FROM], rows.actions[action, SENDS_TO], after,
    )  # fmt: skip


@inlined
def admit_new(
    rows: Any, store: Any, settings: Any, registers: Any, cells: Any, length: Any, slot: Any, h: Any, ordinal: Any
) -> Any:
    """Judges a new state and keeps it; PAUSED if all is well, else why not (VIOLATED: it is kept)."""
    new, base, used = registers[STATES], registers[BASE], registers[USED]
    edges = settings[KEEP_EDGES] != 0
    if settings[MAX_STATES] and new >= settings[MAX_STATES]:
        return ENOUGH
    if new + 2 > store.parent.size or new + 3 - base > store.offsets.size or used + length > store.cells.size:
        return FULL
    if 2 * (new + 1) > store.slots.size or (edges and new + 2 > store.edge_start.size):
        return FULL
    fine = judge(
        rows.pair_keys, rows.pair_values, rows.prop_start, rows.props, settings, rows.flags, rows.unseen,
        cells, store.marks, new if edges else 0,
    )  # fmt: skip
    if fine < 0:
        return UNKNOWN_VERDICT
    store.slots[slot] = h
    if store.ids.size > 1:
        store.ids[slot] = new
    for i in range(length):
        store.cells[used + i] = cells[i]
    store.offsets[new - base + 1] = used + length
    store.parent[new] = registers[CURSOR]
    store.ordinal[new] = ordinal
    registers[USED] = used + length
    registers[STATES] = new + 1
    return PAUSED if fine else VIOLATED


@inlined
def follow(
    rows: Any, store: Any, settings: Any, registers: Any, before: Any, length: Any, after: Any,
    steps: Any, sums: Any, n: Any,
) -> Any:  # fmt: skip
    """Looks up the successors that `outline` found, and keeps the new ones; PAUSED, or why it ended."""
    exact, edges = settings[EXACT] != 0, settings[KEEP_EDGES] != 0
    edge, here = registers[EDGES], sums[n]
    registers[QUIET] = 1
    for ordinal in range(n):
        action, h = steps[ordinal], sums[ordinal]
        k = build(rows, settings, before, length, action, after) if exact else 0
        reached = np.int32(registers[CURSOR])
        ended = PAUSED
        if h != here or (exact and not same_cells(before, 0, length, after, k)):
            if rows.actions[action, PROGRESS]:
                registers[QUIET] = 0
            h = fingerprint(h)
            slot = locate(store.slots, store.ids, store.cells, store.offsets, registers[BASE], exact, after, k, h)
            if store.slots[slot] == _ZERO:
                if not exact:
                    k = build(rows, settings, before, length, action, after)
                ended = admit_new(rows, store, settings, registers, after, k, slot, h, ordinal)
                if ended == VIOLATED or ended == ENOUGH:
                    registers[GENERATED] += ordinal + 1
                if ended != PAUSED:
                    return ended
            if edges:
                reached = store.ids[slot]
        if edges:
            if edge + ordinal + 1 > store.edge_to.size:
                return FULL
            store.edge_to[edge + ordinal] = reached
            store.edge_action[edge + ordinal] = action
    return PAUSED


@inlined
def survey(rows: Any, settings: Any, before: Any, length: Any, found: Any, steps: Any) -> Any:
    """The rows of a state into `found`, -1 behind the last; PAUSED, or why not."""
    first = settings[LOCALS] + settings[BUDGETS] + settings[CUTS]
    around = surroundings(rows.pair_keys, rows.pair_values, settings[LOCALS], first, before)
    if around < 0:
        return UNKNOWN_ROW
    n = gather(
        rows.row_keys, rows.row_values, rows.order, rows.target, settings[NETWORK] == FIFO, rows.reaches[around],
        before, first, length, settings[PROCESSES], around, found,
    )  # fmt: skip
    if n < 0:
        return UNKNOWN_ROW
    found[n] = rows.around[around]
    found[n + 1] = -1
    actions = 1
    for r in range(n + 1):
        actions += rows.row_start[found[r] + 1] - rows.row_start[found[r]]
    return PAUSED if actions <= steps.size else SMALL_BUFFERS


@inlined
def inside(rows: Any, settings: Any, cells: Any) -> Any:
    """Whether a state is inside the bound of the check: 1, 0, or -1 where this was not asked yet."""
    if not settings[WITHIN]:
        return np.int32(1)
    prop = settings[ALWAYS] + settings[SOMETIMES] + settings[EVENTUALLY]
    return verdict(rows.pair_keys, rows.pair_values, rows.prop_start, rows.props, prop, cells)


@inlined
def take(store: Any, settings: Any, registers: Any, before: Any, after: Any, found: Any) -> Any:
    """Copies the state at the cursor to `before`; its length, or -1 where the buffers are too small."""
    number = registers[CURSOR]
    begin = store.offsets[number - registers[BASE]]
    length = store.offsets[number - registers[BASE] + 1] - begin
    if length + settings[MAX_SENDS] > after.size or 2 * length + 2 + settings[PROCESSES] > found.size:
        return np.int64(-1)
    for i in range(length):
        before[i] = store.cells[begin + i]
    if settings[KEEP_EDGES]:
        store.edge_start[number] = store.edge_start[number + 1] = registers[EDGES]
    return length


@inlined
def done(rows: Any, store: Any, settings: Any, registers: Any, cells: Any, n: Any) -> Any:
    """The state at the cursor had `n` successors, which are kept; AT_REST if something is owed in it."""
    number = registers[CURSOR]
    registers[GENERATED] += n
    registers[CURSOR] = number + 1
    if settings[KEEP_EDGES]:
        registers[EDGES] += n
        store.edge_start[number + 1] = registers[EDGES]
    if registers[QUIET]:
        for i in range(settings[LOCALS]):
            if rows.flags[cells[i]] & HOT:
                return AT_REST
        if settings[KEEP_EDGES]:
            store.marks[number, 0] = 1
    return PAUSED


@compiled
def expand(rows: Any, store: Any, settings: Any, registers: Any, buffers: Any, batch: Any) -> Any:
    """Expands up to `batch` states of the level; says why it ended. What is cut short is begun again."""
    before, after, found, steps, sums = buffers
    for _ in range(batch):
        if registers[CURSOR] == registers[LEVEL_END]:
            return LEVEL_DONE
        length = take(store, settings, registers, before, after, found)
        if length < 0:
            return SMALL_BUFFERS
        expanded = inside(rows, settings, before)
        if expanded < 0:
            return UNKNOWN_ROW
        if expanded == 0:
            registers[OUTSIDE] += 1
            registers[CURSOR] += 1
            continue
        ended = survey(rows, settings, before, length, found, steps)
        if ended != PAUSED:
            return ended
        n = outline(rows, settings, registers, store.slots, before, length, after, found, steps, sums)
        ended = follow(rows, store, settings, registers, before, length, after, steps, sums, n)
        if ended != PAUSED:
            return ended
        if registers[HEARING] >= 0:
            return UNKNOWN_HEARING
        ended = done(rows, store, settings, registers, before, n)
        if ended != PAUSED:
            return ended
    return PAUSED
