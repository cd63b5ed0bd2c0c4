"""The compiled walk over states that stand for others. The usual one (`kernel.expand`) is separate, knows nothing about
this and is not slowed down by it."""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.checker.compiled.jit import compiled, inlined
from sim.checker.compiled.kernel import admit_new, begin, done
from sim.checker.compiled.layout import (
    ANY,
    BASE,
    BUDGETS,
    CUTS,
    ENOUGH,
    EXACT,
    FAILED,
    GENERATED,
    HEARING,
    LOCALS,
    MAX_SENDS,
    NETWORK,
    PAUSED,
    PROGRESS,
    QUIET,
    RAW,
    SMALL_BUFFERS,
    UNKNOWN_HEARING,
    UNKNOWN_IMAGE,
    VIOLATED,
)
from sim.checker.compiled.lookup import find, row_key, surroundings
from sim.checker.compiled.prints import fingerprint, locate, same_cells, total
from sim.checker.compiled.steps import build
from sim.checker.compiled.turning import canonical
from sim.checker.compiled.turns import DEAD, TAKEN

_ZERO = np.uint64(0)


@inlined
def settling(rows: Any, turns: Any, cells: Any, first: Any, length: Any, around: Any) -> Any:
    """The first delivery that settles in a state: its action, -1 if there is none, -2 if one is not known."""
    last = -1
    for i in range(first, length):
        e = cells[i]
        if rows.order[e] != last:
            last = rows.order[e]
            found = find(turns.settle_keys, turns.settle_values, row_key(cells[rows.target[e]], e, around, 0))
            if found < 0:
                return np.int32(-2)
            if found >= TAKEN:
                return found - np.int32(TAKEN)
    return np.int32(-1)


@compiled
def settle(rows: Any, turns: Any, settings: Any, cells: Any, length: Any, other: Any) -> Any:
    """Takes what settles, and forgets what is dead; the new length, -1 where something is unknown (`other` has
    then the length of what was come to), -2 where the buffers are too small."""
    first = settings[LOCALS] + settings[BUDGETS] + settings[CUTS]
    around = surroundings(rows, settings, cells)
    if around < 0:
        other[0] = length
        return np.int64(-1)
    for _ in range(turns.steps_max):
        action = settling(rows, turns, cells, first, length, around)
        if action == -2:
            other[0] = length
            return np.int64(-1)
        if action == -1:
            break
        if length + settings[MAX_SENDS] > cells.size:
            return np.int64(-2)
        k = build(rows, settings, cells, length, action, other)
        for i in range(k):
            cells[i] = other[i]
        length = k
    if settings[NETWORK] != ANY:
        return length
    k = first
    for i in range(first, length):
        e = cells[i]
        found = find(turns.settle_keys, turns.settle_values, row_key(cells[rows.target[e]], e, around, 0))
        if found < 0:
            other[0] = length
            return np.int64(-1)
        if found != DEAD:
            other[k] = e
            k += 1
    for i in range(first, k):
        cells[i] = other[i]
    return np.int64(k)


@inlined
def is_failed(rows: Any, settings: Any, cells: Any) -> Any:
    """Whether a machine failed in this state."""
    for i in range(settings[LOCALS]):  # noqa: SIM110
        if rows.flags[cells[i]] & FAILED:
            return True
    return False


@compiled
def follow_one(
    rows: Any, turns: Any, store: Any, settings: Any, registers: Any, before: Any, length: Any, after: Any,
    spare: Any, action: Any, ordinal: Any,
) -> Any:  # fmt: skip
    """Takes one action; keeps the state that stands for where it leads, if it is new. PAUSED, or why not."""
    first, exact = settings[LOCALS] + settings[BUDGETS] + settings[CUTS], settings[EXACT] != 0
    k = build(rows, settings, before, length, action, after)
    if k < 0:
        registers[HEARING] = action
        return UNKNOWN_HEARING
    if same_cells(before, 0, length, after, k):
        return PAUSED
    if rows.actions[action, PROGRESS]:
        registers[QUIET] = 0
    if not is_failed(rows, settings, after):
        if turns.settle_keys.size:
            settled = settle(rows, turns, settings, after, k, spare[3])
            if settled == -2:
                return SMALL_BUFFERS
            if settled < 0:
                registers[RAW] = spare[3][0]
                return UNKNOWN_IMAGE
            k = settled
        if not canonical(rows, turns, settings, after, k, spare):
            registers[RAW] = k
            return UNKNOWN_IMAGE
    h = fingerprint(total(after, first, k, rows.order))
    slot = locate(store.slots, store.ids, store.cells, store.offsets, registers[BASE], exact, after, k, h)
    if store.slots[slot] != _ZERO:
        return PAUSED
    ended = admit_new(rows, store, settings, registers, after, k, slot, h, ordinal)
    if ended == VIOLATED or ended == ENOUGH:
        registers[GENERATED] += ordinal + 1
    return ended


@compiled
def expand_reduced(
    rows: Any, turns: Any, store: Any, settings: Any, registers: Any, buffers: Any, spare: Any, batch: Any
) -> Any:
    """`kernel.expand`, but that what is kept is what stands for a state."""
    before, after, found, steps, _ = buffers
    for _ in range(batch):
        ended, length = begin(rows, store, settings, registers, before, after, found, steps)
        if ended != PAUSED:
            return ended
        if length == 0:
            continue
        registers[QUIET] = 1
        r = 0
        n: Any = np.int64(0)
        while found[r] >= 0:
            for a in range(rows.row_start[found[r]], rows.row_start[found[r] + 1]):
                ended = follow_one(
                    rows, turns, store, settings, registers, before, length, after, spare, rows.row_actions[a], n
                )
                if ended != PAUSED:
                    return ended
                n += 1
            r += 1
        ended = done(rows, store, settings, registers, before, n)
        if ended != PAUSED:
            return ended
    return PAUSED
