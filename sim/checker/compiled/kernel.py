"""The compiled functions. They know integers only; every miss goes back to Python.

An expansion may be cut short anywhere (a row or verdict is unknown, an array is full) and is then begun
again: successors that it had found already are met as known, in the same order.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.checker.compiled.jit import compiled, inlined, prefetching
from sim.checker.compiled.layout import (
    ALWAYS,
    ANY,
    AT_REST,
    BASE,
    BUDGETS,
    CONSUMED,
    CURSOR,
    CUTS,
    EDGES,
    ENOUGH,
    EXACT,
    FAILED,
    FULL,
    GENERATED,
    HEARD_FROM,
    HEARD_TO,
    HEARING,
    HOT,
    KEEP_EDGES,
    LASTING,
    LEVEL_DONE,
    LEVEL_END,
    LOCAL,
    LOCALS,
    MAX_SENDS,
    MAX_STATES,
    NETWORK,
    ONLY_LOCAL,
    OUTSIDE,
    PAUSED,
    PROCESS,
    PROCESSES,
    PROGRESS,
    QUIET,
    RESTS,
    SENDS_FROM,
    SENDS_TO,
    SET,
    SMALL_BUFFERS,
    SOMETIMES,
    STATES,
    UNKNOWN_HEARING,
    UNKNOWN_ROW,
    UNKNOWN_VERDICT,
    USED,
    VIOLATED,
    WITHIN,
)
from sim.checker.compiled.lookup import gather, surroundings, verdict
from sim.checker.compiled.prints import fingerprint, locate, mark, same_cells, total
from sim.checker.compiled.steps import arriving, build, change, exchange, exchange_sum, hear

_ZERO = np.uint64(0)
prefetch = prefetching()


@inlined
def judge(
    keys: Any, values: Any, prop_start: Any, props: Any, settings: Any, flags: Any, unseen: Any,
    cells: Any,
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
    return np.int32(1)


@inlined
def outline(
    rows: Any, settings: Any, registers: Any, slots: Any, before: Any, length: Any, after: Any,
    found: Any, steps: Any, sums: Any,
) -> Any:  # fmt: skip
    """The actions of a state into `steps`, and the sums of its successors into `sums`; how many.

    Stops before an action whose monitors have an unknown row (it is then in HEARING, else -1). Each slot is
    asked for already here: so the misses of the processor's cache overlap.
    """
    first, budgets = settings[LOCALS] + settings[BUDGETS] + settings[CUTS], settings[LOCALS]
    cuts, is_set = budgets + settings[BUDGETS], settings[NETWORK] == SET
    whole = settings[EXACT] != 0 or (settings[NETWORK] != ANY and not is_set) or settings[LASTING] != 0
    here = total(before, first, length, rows.order)
    mask = np.uint64(slots.size - 1)
    n = 0
    registers[HEARING] = -1
    r = 0
    while found[r] >= 0:
        for a in range(rows.row_start[found[r]], rows.row_start[found[r] + 1]):
            action = rows.row_actions[a]
            if rows.actions[action, ONLY_LOCAL] and not whole:
                at = rows.actions[action, PROCESS]
                h = here + mark(at, rows.actions[action, LOCAL]) - mark(at, before[at])
            else:
                h = change(rows.actions, action, rows.pool, before, first, budgets, cuts, after, here)
                known, h = hear(
                    rows.pair_keys, rows.pair_values, rows.hear_node, rows.hear_start, rows.hear_by, rows.pool,
                    rows.actions[action, HEARD_FROM], rows.actions[action, HEARD_TO], after, h,
                )  # fmt: skip
                if not known:
                    registers[HEARING] = action
                    return n
            gone, sent = rows.actions[action, CONSUMED], rows.actions[action, SENDS_FROM]
            sent_end = rows.actions[action, SENDS_TO]
            if whole:
                k = exchange(
                    rows.order, rows.pool, settings[NETWORK], before, first, length, gone, sent, sent_end, after
                )
                if settings[LASTING]:
                    k = arriving(rows, settings, first, k, after)
                h = total(after, first, k, rows.order)
            else:
                h = exchange_sum(is_set, rows.pool, before, first, length, gone, sent, sent_end, h)
            prefetch(slots, fingerprint(h) & mask)
            steps[n] = action
            sums[n] = h
            n += 1
        r += 1
    sums[n] = here
    return n


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
        rows.pair_keys, rows.pair_values, rows.prop_start, rows.props, settings, rows.flags, rows.unseen, cells
    )
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
    """The rows of a state into `found`, -1 after the last; PAUSED, or why not."""
    around = surroundings(rows, settings, before)
    if around < 0:
        return UNKNOWN_ROW
    n = gather(rows, settings, before, length, around, found)
    if n < 0:
        return UNKNOWN_ROW
    found[n] = -1
    actions = 1
    for r in range(n):
        actions += rows.row_start[found[r] + 1] - rows.row_start[found[r]]
    return PAUSED if actions <= steps.size else SMALL_BUFFERS


@inlined
def inside(rows: Any, settings: Any, cells: Any) -> Any:
    """Whether a state is inside the bound of the check: 1, 0, or -1 where this was not asked yet."""
    if not settings[WITHIN]:
        return np.int32(1)
    prop = settings[ALWAYS] + settings[SOMETIMES]
    return verdict(rows.pair_keys, rows.pair_values, rows.prop_start, rows.props, prop, cells)


@inlined
def take(store: Any, settings: Any, registers: Any, before: Any, after: Any, found: Any) -> Any:
    """Copies the state at the cursor to `before`; its length, or -1 where the buffers are too small."""
    number = registers[CURSOR]
    begin = store.offsets[number - registers[BASE]]
    length = store.offsets[number - registers[BASE] + 1] - begin
    if length + settings[MAX_SENDS] > after.size or 2 * (length + settings[PROCESSES]) + 4 > found.size:
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
        registers[RESTS] += 1
        if settings[KEEP_EDGES]:
            store.resting[number] = 1
        for i in range(settings[LOCALS]):
            if rows.flags[cells[i]] & HOT:
                return AT_REST
    return PAUSED


@inlined
def begin(rows: Any, store: Any, settings: Any, registers: Any, before: Any, after: Any, found: Any, steps: Any) -> Any:
    """The next state of the level into `before`, and its rows into `found`: why that is impossible, and its length,
    which is 0 where it is outside of the bound and has no successors."""
    length = np.int64(0)
    if registers[CURSOR] == registers[LEVEL_END]:
        return LEVEL_DONE, length
    length = take(store, settings, registers, before, after, found)
    if length < 0:
        return SMALL_BUFFERS, length
    expanded = inside(rows, settings, before)
    if expanded < 0:
        return UNKNOWN_ROW, length
    if expanded == 0:
        registers[OUTSIDE] += 1
        registers[CURSOR] += 1
        return PAUSED, np.int64(0)
    return survey(rows, settings, before, length, found, steps), length


@compiled
def expand(rows: Any, store: Any, settings: Any, registers: Any, buffers: Any, batch: Any) -> Any:
    """Expands up to `batch` states of the level; says why it ended. What is cut short is begun again."""
    before, after, found, steps, sums = buffers
    for _ in range(batch):
        ended, length = begin(rows, store, settings, registers, before, after, found, steps)
        if ended != PAUSED:
            return ended
        if length == 0:
            continue
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
