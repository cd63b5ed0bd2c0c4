"""From state to state in compiled code: expanding a state once, and going along an edge for the first time."""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.checker.compiled.jit import inlined
from sim.checker.compiled.layout import (
    ALWAYS,
    BUDGETS,
    CUTS,
    FAILED,
    FULL,
    HOT,
    LOCALS,
    MAX_SENDS,
    PAUSED,
    PROCESSES,
    PROGRESS,
    SMALL_BUFFERS,
    UNKNOWN_HEARING,
    UNKNOWN_ROW,
    UNKNOWN_VERDICT,
)
from sim.checker.compiled.lookup import gather, surroundings, verdict
from sim.checker.compiled.prints import fingerprint, locate, same_cells, total
from sim.checker.compiled.steps import build
from sim.fuzzer.compiled.layout import (
    ACTION,
    BROKEN,
    CELLS,
    COUNT,
    CURRENT,
    EDGE,
    EDGES,
    EVENT,
    EXPANDED,
    FAULTY,
    FROM,
    HEARING,
    HELD,
    LEADS_TO,
    NONE,
    OPEN,
    OPENABLE,
    OWED,
    PREMISES,
    QUIET,
    SCHEDULES_BY,
    SEEN,
    STATE,
    STATES,
    STATUS,
    SUBJECT,
    SURE,
    TO,
)

_ZERO = np.uint64(0)
_ONE = np.uint64(1)


@inlined
def take(known: Any, state: Any, cells: Any) -> Any:
    """Copies a state; its length."""
    begin = known.offsets[state]
    length = known.offsets[state + 1] - begin
    for i in range(length):
        cells[i] = known.cells[begin + i]
    return length


@inlined
def expand(rows: Any, facts: Any, known: Any, settings: Any, registers: Any, buffers: Any) -> Any:
    """Finds the edges of the state under way; PAUSED, or why not (it is then begun again)."""
    before, after, found = buffers
    state = registers[STATE]
    length = known.offsets[state + 1] - known.offsets[state]
    if length + settings[MAX_SENDS] > after.size or 2 * (length + settings[PROCESSES]) + 4 > found.size:
        return SMALL_BUFFERS
    take(known, state, before)
    around = surroundings(rows, settings, before)
    if around < 0:
        return UNKNOWN_ROW
    n = gather(rows, settings, before, length, around, found)
    if n < 0:
        return UNKNOWN_ROW
    edge, quiet = registers[EDGES], 1
    for r in range(n):
        for a in range(rows.row_start[found[r]], rows.row_start[found[r] + 1]):
            if edge == known.edges.shape[0]:
                return FULL
            action, to = rows.row_actions[a], np.int32(-1)
            if not facts.fact[action, SURE]:
                k = build(rows, settings, before, length, action, after)
                if k < 0:
                    registers[HEARING] = action
                    return UNKNOWN_HEARING
                if same_cells(before, 0, length, after, k):
                    to = np.int32(state)
            event = NONE if facts.fact[action, FAULTY] else facts.fact[action, SUBJECT]
            known.edges[edge, ACTION], known.edges[edge, LEADS_TO], known.edges[edge, EVENT] = action, to, event
            if to < 0 and rows.actions[action, PROGRESS]:
                quiet = 0
            edge += 1
    known.head[state, FROM], known.head[state, TO] = registers[EDGES], edge
    registers[EDGES] = edge
    known.head[state, STATUS] |= EXPANDED
    if quiet:
        known.head[state, STATUS] |= QUIET
        for i in range(settings[LOCALS]):
            if rows.flags[before[i]] & HOT:
                known.head[state, STATUS] |= OWED
    return PAUSED


@inlined
def assess(rows: Any, settings: Any, cells: Any) -> Any:
    """What is right and wrong in a new state: 1 if it is fine, 0 if a property is violated, -1 where a verdict is
    missing; the properties that hold, and those that are unmet from here on, as bits."""
    holds = opens = _ZERO
    for i in range(settings[LOCALS]):
        if rows.flags[cells[i]] & FAILED:
            return np.int32(0), holds, opens
    for prop in range(settings[ALWAYS]):
        said = verdict(rows.pair_keys, rows.pair_values, rows.prop_start, rows.props, prop, cells)
        if said <= 0:
            return said, holds, opens
    for i in range(settings[OPENABLE]):
        said = verdict(rows.pair_keys, rows.pair_values, rows.prop_start, rows.props, settings[ALWAYS] + i, cells)
        if said < 0:
            return said, holds, opens
        if said:
            holds |= _ONE << np.uint64(i)
    opens = np.uint64(settings[CURRENT]) & ~holds
    for i in range(settings[PREMISES]):
        prop = settings[ALWAYS] + settings[OPENABLE] + i
        said = verdict(rows.pair_keys, rows.pair_values, rows.prop_start, rows.props, prop, cells)
        if said < 0:
            return said, holds, opens
        if said:
            opens |= _ONE << np.uint64(settings[OPENABLE] - settings[PREMISES] + i)
    return np.int32(1), holds, opens & ~holds


@inlined
def admit(rows: Any, known: Any, settings: Any, registers: Any, cells: Any, length: Any, slot: Any, h: Any) -> Any:
    """Keeps a new state; PAUSED, or why not."""
    new, used = registers[STATES], registers[CELLS]
    if 2 * (new + 1) > known.slots.size or new + 2 > known.offsets.size or used + length > known.cells.size:
        return FULL
    fine, holds, opens = assess(rows, settings, cells)
    if fine < 0:
        return UNKNOWN_VERDICT
    known.slots[slot], known.ids[slot] = h, new
    for i in range(length):
        known.cells[used + i] = cells[i]
    known.offsets[new + 1] = used + length
    known.head[new, STATUS] = 0 if fine else BROKEN
    known.head[new, SEEN] = known.head[new, SCHEDULES_BY] = 0
    known.held[new, 0], known.held[new, 1] = holds, opens
    registers[CELLS], registers[STATES] = used + length, new + 1
    return PAUSED


@inlined
def go(rows: Any, known: Any, settings: Any, registers: Any, buffers: Any) -> Any:
    """Finds the state that the edge under way leads to; PAUSED, or why not (it is then begun again)."""
    before, after, _ = buffers
    edge = registers[EDGE]
    length = take(known, registers[STATE], before)
    first = settings[LOCALS] + settings[BUDGETS] + settings[CUTS]
    k = build(rows, settings, before, length, known.edges[edge, ACTION], after)
    if k < 0:
        registers[HEARING] = known.edges[edge, ACTION]
        return UNKNOWN_HEARING
    h = fingerprint(total(after, first, k, rows.order))
    slot = locate(known.slots, known.ids, known.cells, known.offsets, 0, True, after, k, h)
    if known.slots[slot] == _ZERO:
        ended = admit(rows, known, settings, registers, after, k, slot, h)
        if ended != PAUSED:
            return ended
    known.edges[edge, LEADS_TO] = known.ids[slot]
    return PAUSED


@inlined
def visit(known: Any, registers: Any, random: Any, state: Any) -> None:
    """Notes that the schedule under way comes to a state."""
    if known.head[state, SEEN] != registers[COUNT]:
        known.head[state, SEEN] = registers[COUNT]
        known.head[state, SCHEDULES_BY] += 1
    holds = known.held[state, 0]
    random[HELD] |= holds
    random[OPEN] = (random[OPEN] | known.held[state, 1]) & ~holds
