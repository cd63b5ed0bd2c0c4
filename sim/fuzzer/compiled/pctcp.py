"""PCT for messages in compiled code: `sim.strategy.pctcp`, with its events and chains.

Every event is brought about by one other at most, so what an event follows from is a line of ancestors.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.checker.compiled.jit import inlined
from sim.checker.compiled.layout import PROCESS, SENDS_FROM, SENDS_TO
from sim.fuzzer.compiled.draws import base_of, between, derive, group_end, least, stream
from sim.fuzzer.compiled.layout import (
    ACTION,
    ARMS_FROM,
    ARMS_TO,
    BEGUN,
    CHAIN_ROWS,
    CHAINS,
    CONSUMES,
    CUT,
    DEPTH,
    DRAWS,
    ENVELOPE,
    ENVELOPES,
    EVENT,
    EVENTS,
    FOR_CHAINS,
    FREE,
    LEADS_TO,
    LENGTH,
    NONE,
    OPEN_SET,
    OVERFLOW,
    PICK,
    PRIORITIES,
    SIZE_EVENTS,
    SIZE_WIDTH,
    SIZES,
    SORT,
    STAMP,
    START,
    SUBJECT,
    TAKEN_EVENTS,
    TOUCHED,
)
from sim.fuzzer.compiled.strikes import strike

_ZERO = np.uint64(0)


@inlined
def begin_pctcp(facts: Any, settings: Any, registers: Any, random: Any, desk: Any) -> None:
    """Draws the points of change, and forgets the events of the last schedule."""
    for i in range(settings[DEPTH] - 1):
        desk.points[i] = between(stream(random[DRAWS], i), 1, settings[LENGTH])
    random[PRIORITIES] = derive(random[DRAWS], facts.purposes[FOR_CHAINS])
    for i in range(registers[CHAINS]):
        desk.lowered[i] = NONE
    for i in range(registers[TOUCHED]):
        desk.first[desk.touched[i]] = NONE
    for subject in range(settings[ENVELOPES]):
        desk.first[subject] = NONE
    registers[EVENTS] = registers[CHAINS] = registers[CHAIN_ROWS] = registers[TOUCHED] = registers[TAKEN_EVENTS] = 0
    registers[FREE] = 0


@inlined
def nearest(desk: Any, event: Any) -> Any:
    """The first event from this one on, along what it follows from, that is the last of its chain, or NONE. What lies
    between is passed over for good."""
    top = np.int64(event)
    while top >= 0 and desk.up[top] != top:
        top = np.int64(desk.up[top])
    while event != top:
        above = np.int64(desk.up[event])
        desk.up[event] = top
        event = above
    return top


@inlined
def join_chain(registers: Any, random: Any, desk: Any, event: Any) -> None:
    """Gives an event its chain: `sim.strategy.chains`."""
    chain, row = np.int64(NONE), np.int64(0)
    other = nearest(desk, np.int64(desk.parent[event]))
    while other >= 0:
        at = np.int64(desk.row[desk.set[desk.chain[other]]])
        if chain < 0 or at < row:
            chain, row = np.int64(desk.chain[other]), at
        other = nearest(desk, np.int64(desk.parent[other]))
    if chain < 0 or (registers[FREE] > 0 and desk.row[registers[OPEN_SET]] < row):
        if registers[FREE] == 0:
            rows = registers[CHAIN_ROWS]
            if rows == desk.row.size:
                registers[OVERFLOW] = 1
                return
            desk.row[rows] = desk.standing[rows] = rows
            registers[CHAIN_ROWS], registers[OPEN_SET], registers[FREE] = rows + 1, rows, rows + 1
        registers[FREE] -= 1
        chain = np.int64(registers[CHAINS])
        registers[CHAINS] += 1
        desk.set[chain] = registers[OPEN_SET]
        desk.rank[chain] = stream(random[PRIORITIES], chain)
    else:
        before = desk.last[chain]
        desk.up[before] = desk.parent[before]
    desk.last[chain] = event
    desk.up[event] = event
    desk.chain[event] = chain
    rest = desk.set[chain]
    row = np.int64(desk.row[rest])
    if row > 0:  # what is left of the row and the row before change places
        small = desk.standing[row - 1]
        desk.standing[row - 1], desk.standing[row] = rest, small
        desk.row[rest], desk.row[small] = row - 1, row
        desk.set[chain] = small


@inlined
def make_event(registers: Any, random: Any, desk: Any, subject: Any, parent: Any) -> None:
    """A new event, pending after those of the same subject."""
    event = registers[EVENTS]
    if event == desk.parent.size:
        registers[OVERFLOW] = 1
        return
    registers[EVENTS] += 1
    desk.parent[event], desk.next[event], desk.leaf[event] = parent, NONE, 1
    if parent >= 0:
        desk.leaf[parent] = 0
    if desk.first[subject] < 0:
        if registers[TOUCHED] == desk.touched.size:
            registers[OVERFLOW] = 1
            return
        desk.touched[registers[TOUCHED]] = subject
        registers[TOUCHED] += 1
        desk.first[subject] = event
    else:
        desk.next[desk.final[subject]] = event
    desk.final[subject] = event
    join_chain(registers, random, desk, event)


@inlined
def make_own(
    facts: Any, edges: Any, registers: Any, random: Any, desk: Any, begin: Any, end: Any, process: Any, parent: Any,
    armed: Any, armed_end: Any,
) -> None:  # fmt: skip
    """What a process can do by itself now: new events for what is new, or armed anew."""
    first, last = facts.own_from[process], facts.own_from[process + 1]
    registers[STAMP] += 1
    for e in range(begin, end):
        subject = edges[e, EVENT]
        if subject >= first and subject < last:
            desk.stamp[subject] = registers[STAMP]
    for subject in range(first, last):
        if desk.stamp[subject] != registers[STAMP]:
            desk.first[subject] = NONE
    for e in range(begin, end):
        subject = edges[e, EVENT]
        if subject >= first and subject < last and desk.stamp[subject] == registers[STAMP]:
            desk.stamp[subject] = 0  # each once
            anew = desk.first[subject] < 0
            for i in range(armed, armed_end):
                anew = anew or facts.arms[i, 0] == subject
            if anew:
                desk.first[subject] = NONE
                make_event(registers, random, desk, subject, parent)


@inlined
def took_pctcp(
    rows: Any,
    facts: Any,
    settings: Any,
    edges: Any,
    registers: Any,
    random: Any,
    desk: Any,
    begin: Any,
    end: Any,
    action: Any,
) -> None:
    """An action was taken (BEGUN: the schedule has begun): its event is over, what it brought about is new."""
    if action == BEGUN:
        way = registers[START]
        for i in range(facts.starts[way, 1], facts.starts[way, 2]):
            make_event(registers, random, desk, settings[ENVELOPES] + facts.begin[i], NONE)
        for process in range(facts.own_from.size - 1):
            make_own(facts, edges, registers, random, desk, begin, end, process, NONE, 0, 0)
        return
    over = np.int64(NONE)
    subject = facts.fact[action, SUBJECT]
    event = desk.first[subject]
    if event >= 0 and (facts.fact[action, CONSUMES] or facts.fact[action, ENVELOPE] < 0):
        desk.first[subject] = desk.next[event]
        over = np.int64(event)
    for i in range(rows.actions[action, SENDS_FROM], rows.actions[action, SENDS_TO]):
        make_event(registers, random, desk, settings[ENVELOPES] + rows.pool[i], over)
    process = rows.actions[action, PROCESS]
    if process >= 0:
        armed, armed_end = facts.fact[action, ARMS_FROM], facts.fact[action, ARMS_TO]
        make_own(facts, edges, registers, random, desk, begin, end, process, over, armed, armed_end)
    if facts.fact[action, SORT] == CUT and facts.delays[subject, 0] >= 0:
        make_event(registers, random, desk, subject, over)


@inlined
def make_missing(
    facts: Any, edges: Any, registers: Any, random: Any, desk: Any, begin: Any, end: Any, here: Any
) -> None:
    """Events for what is enabled though no event is pending (a message that stays in flight forever), in the order of
    their keys."""
    while True:
        missing = np.int64(NONE)
        for e in range(begin, end):
            if edges[e, EVENT] < 0 or edges[e, LEADS_TO] == here or desk.first[edges[e, EVENT]] >= 0:
                continue
            if missing < 0 or facts.leads[edges[e, ACTION]] < facts.leads[edges[missing, ACTION]]:
                missing = np.int64(e)
        if missing < 0 or registers[OVERFLOW]:
            return
        make_event(registers, random, desk, edges[missing, EVENT], NONE)


@inlined
def highest(edges: Any, desk: Any, begin: Any, end: Any, here: Any) -> Any:
    """The edge of an event whose chain has the highest priority, or NONE. Chains that were lowered come last, by
    their level; the others in a random order."""
    best = np.int64(NONE)
    best_level = np.int64(0)
    best_draw = _ZERO
    for e in range(begin, end):
        if edges[e, EVENT] < 0 or edges[e, LEADS_TO] == here:
            continue
        chain = desk.chain[desk.first[edges[e, EVENT]]]
        level, draw = np.int64(desk.lowered[chain]), _ZERO
        if level < 0:
            level, draw = np.int64(1 << 40), desk.rank[chain]
        if best < 0 or level > best_level or (level == best_level and draw > best_draw):
            best, best_level, best_draw = np.int64(e), level, draw
    return best


@inlined
def pick_pctcp(
    facts: Any, settings: Any, edges: Any, registers: Any, random: Any, desk: Any, begin: Any, end: Any, here: Any
) -> Any:
    """The edge that comes next, or NONE."""
    registers[PICK] += 1
    fault = strike(facts, edges, registers, random, desk, begin, end, registers[PICK] - 1, NONE)
    if fault >= 0:
        return fault
    make_missing(facts, edges, registers, random, desk, begin, end, here)
    if registers[OVERFLOW]:
        return np.int64(NONE)
    best = highest(edges, desk, begin, end, here)
    if best < 0:
        return best
    registers[TAKEN_EVENTS] += 1
    for i in range(settings[DEPTH] - 1):
        if desk.points[i] == registers[TAKEN_EVENTS]:
            desk.lowered[desk.chain[desk.first[edges[best, EVENT]]]] = settings[DEPTH] - 1 - i
            best = highest(edges, desk, begin, end, here)
    base = base_of(random[DRAWS], registers[PICK])
    return least(facts, edges, best, group_end(edges, best, end), here, base)


@inlined
def note_size(registers: Any, desk: Any) -> None:
    """A schedule came to rest: how many events it had, and how many of them none of which follows from another."""
    width = 0
    for event in range(registers[EVENTS]):
        width += desk.leaf[event]
    events = registers[EVENTS]
    if registers[SIZES] == 0:
        registers[SIZES], registers[SIZE_EVENTS], registers[SIZE_WIDTH] = 1, events, width
    elif registers[SIZE_EVENTS] != events or registers[SIZE_WIDTH] != width:
        registers[SIZES] = 2
