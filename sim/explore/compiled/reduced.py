"""The compiled walk over states that stand for others. Beside it stands the usual one (`kernel.expand`), which
knows nothing of this and is no slower for it."""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.explore.compiled.jit import compiled, inlined
from sim.explore.compiled.kernel import admit_new, done, inside, survey, take
from sim.explore.compiled.layout import (
    BASE,
    BUDGETS,
    CONSUMED,
    CURSOR,
    CUTS,
    ENOUGH,
    EXACT,
    GENERATED,
    HEARD_FROM,
    HEARD_TO,
    HEARING,
    LEVEL_DONE,
    LEVEL_END,
    LOCALS,
    NETWORK,
    OUTSIDE,
    PAUSED,
    PROGRESS,
    QUIET,
    RAW,
    SENDS_FROM,
    SENDS_TO,
    SET,
    SMALL_BUFFERS,
    UNKNOWN_HEARING,
    UNKNOWN_IMAGE,
    UNKNOWN_ROW,
    VIOLATED,
)
from sim.explore.compiled.prints import fingerprint, locate, same_cells, total
from sim.explore.compiled.steps import change, exchange, hear
from sim.explore.compiled.turning import canonical

_ZERO = np.uint64(0)


@inlined
def step(rows: Any, settings: Any, before: Any, length: Any, action: Any, after: Any) -> Any:
    """Writes the state after an action; its length, or -1 where the row of a monitor is unknown."""
    first, budgets = settings[LOCALS] + settings[BUDGETS] + settings[CUTS], settings[LOCALS]
    change(rows.actions, action, rows.pool, before, first, budgets, budgets + settings[BUDGETS], after, _ZERO)
    known, _ = hear(
        rows.pair_keys, rows.pair_values, rows.hear_node, rows.hear_start, rows.hear_by, rows.pool,
        rows.actions[action, HEARD_FROM], rows.actions[action, HEARD_TO], after, _ZERO,
    )  # fmt: skip
    if not known:
        return -1
    return exchange(
        rows.order, rows.pool, settings[NETWORK] == SET, before, first, length, rows.actions[action, CONSUMED],
        rows.actions[action, SENDS_FROM], rows.actions[action, SENDS_TO], after,
    )  # fmt: skip


@compiled
def follow_one(
    rows: Any, turns: Any, store: Any, settings: Any, registers: Any, before: Any, length: Any, after: Any,
    spare: Any, action: Any, ordinal: Any,
) -> Any:  # fmt: skip
    """Takes one action; keeps the state that stands for where it leads, if it is new. PAUSED, or why not."""
    first, exact = settings[LOCALS] + settings[BUDGETS] + settings[CUTS], settings[EXACT] != 0
    k = step(rows, settings, before, length, action, after)
    if k < 0:
        registers[HEARING] = action
        return UNKNOWN_HEARING
    if same_cells(before, 0, length, after, k):
        return PAUSED
    if rows.actions[action, PROGRESS]:
        registers[QUIET] = 0
    if not canonical(rows, turns, settings, after, k, spare):
        registers[RAW] = k
        return UNKNOWN_IMAGE
    h = fingerprint(total(after, first, k, rows.order))
    slot = locate(store.slots, store.ids, store.cells, store.offsets, registers[BASE], exact, after, k, h)
    if store.slots[slot] != _ZERO:
        return PAUSED
    ended = admit_new(rows, store, settings, registers, after, k, slot, h, ordinal)
    if ended == VIOLATED or ended == ENOUGH:  # noqa: SIM109
        registers[GENERATED] += ordinal + 1
    return ended


@compiled
def expand_reduced(
    rows: Any, turns: Any, store: Any, settings: Any, registers: Any, buffers: Any, spare: Any, batch: Any
) -> Any:
    """`kernel.expand`, but that what is kept is what stands for a state."""
    before, after, found, steps, _ = buffers
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
        registers[QUIET] = 1
        r, n = 0, np.int64(0)
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
