"""Virtual time in compiled code: `sim.strategy.virtual_time` and `sim.strategy.timed`.

What is due is known by its number, which is also the order of scheduling that ties break by.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.checker.compiled.jit import inlined
from sim.checker.compiled.layout import BUDGETS, CUTS, LOCALS, PROCESS, SENDS_FROM, SENDS_TO
from sim.fuzzer.compiled.draws import base_of, between, group_end, least, stream
from sim.fuzzer.compiled.eager import strike_eagerly
from sim.fuzzer.compiled.layout import (
    ACTION,
    ALTERS,
    ARMS_FROM,
    ARMS_TO,
    BEGUN,
    CONSUMES,
    CUT,
    DELIVER,
    DELIVERED,
    DRAWN,
    DRAWS,
    EAGER,
    ENDLESS,
    ENVELOPE,
    ENVELOPES,
    EVENT,
    EVENTS,
    FIRE,
    HEAL,
    HEAP,
    LAST,
    MEMBER,
    MOVE,
    NONE,
    NOW,
    OVERFLOW,
    PICK,
    RESTART,
    SORT,
    STAMP,
    START,
    STATE,
    SUBJECT,
    SURVIVES,
    TIMED,
    WAITING,
)
from sim.fuzzer.compiled.strikes import strike


@inlined
def begin_clock(facts: Any, registers: Any, desk: Any) -> None:
    """Midnight: nothing is due."""
    for subject in range(facts.own_from[facts.own_from.size - 1]):
        desk.first[subject] = NONE
    for process in range(desk.waiting.size):
        desk.waiting[process] = NONE
    registers[EVENTS] = registers[HEAP] = registers[NOW] = registers[DRAWN] = registers[WAITING] = 0
    registers[LAST] = NONE


# --- the heap -----------------------------------------------------------------------------------------------


@inlined
def sooner(desk: Any, one: Any, other: Any) -> Any:
    """Whether an event is due before another."""
    return desk.when[one] < desk.when[other] or (desk.when[one] == desk.when[other] and one < other)


@inlined
def push(registers: Any, desk: Any, event: Any) -> None:
    """Makes an event due."""
    at = registers[HEAP]
    if at == desk.heap.size:
        registers[OVERFLOW] = 1
        return
    registers[HEAP] += 1
    while at > 0:
        above = (at - 1) >> 1
        if not sooner(desk, event, desk.heap[above]):
            break
        desk.heap[at] = desk.heap[above]
        at = above
    desk.heap[at] = event


@inlined
def pop(registers: Any, desk: Any) -> Any:
    """The event that is due next, off the heap."""
    top = desk.heap[0]
    registers[HEAP] -= 1
    size = registers[HEAP]
    event = desk.heap[size]
    at = 0
    while True:
        below = 2 * at + 1
        if below >= size:
            break
        if below + 1 < size and sooner(desk, desk.heap[below + 1], desk.heap[below]):
            below += 1
        if not sooner(desk, desk.heap[below], event):
            break
        desk.heap[at] = desk.heap[below]
        at = below
    desk.heap[at] = event
    return top


@inlined
def schedule(registers: Any, random: Any, desk: Any, subject: Any, low: Any, high: Any, may_be_struck: Any) -> Any:
    """A new event, due after a delay that is drawn; its number."""
    if high > low:
        low = between(stream(random[DRAWS], registers[DRAWN]), low, high)
        registers[DRAWN] += 1
    event = registers[EVENTS]
    if event == desk.when.size:
        registers[OVERFLOW] = 1
        return np.int64(0)
    registers[EVENTS] += 1
    desk.when[event], desk.who[event], desk.open[event] = registers[NOW] + low, subject, may_be_struck
    push(registers, desk, event)
    return event


# --- picking ------------------------------------------------------------------------------------------------


@inlined
def in_flight(known: Any, settings: Any, state: Any, envelope: Any) -> Any:
    """Whether an envelope is in flight."""
    first = settings[LOCALS] + settings[BUDGETS] + settings[CUTS]
    for i in range(known.offsets[state] + first, known.offsets[state + 1]):  # noqa: SIM110
        if known.cells[i] == envelope:
            return True
    return False


@inlined
def is_armed(facts: Any, known: Any, state: Any, process: Any, subject: Any) -> Any:
    """Whether a timer is armed, though what it would trigger may be deferred."""
    local = known.cells[known.offsets[state] + process]
    for i in range(facts.armed_from[local], facts.armed_from[local + 1]):  # noqa: SIM110
        if facts.armed[i] == subject:
            return True
    return False


@inlined
def may_strike(known: Any, settings: Any, state: Any) -> Any:
    """Whether any fault may still strike."""
    begin = known.offsets[state] + settings[LOCALS]
    for i in range(begin, begin + settings[BUDGETS]):
        if known.cells[i] > 0:
            return True
    return settings[ENDLESS] != 0


@inlined
def wait(registers: Any, desk: Any, process: Any, event: Any) -> None:
    """Puts an event aside until its process changes."""
    desk.next[event] = desk.waiting[process]
    desk.waiting[process] = event
    registers[WAITING] += 1


@inlined
def ways_of(edges: Any, begin: Any, end: Any, subject: Any) -> Any:
    """The edges of an event that may happen now, as a range: they are neighbours."""
    e = begin
    while e < end and edges[e, EVENT] != subject:
        e += 1
    return e, group_end(edges, e, end) if e < end else end


@inlined
def look(facts: Any, known: Any, settings: Any, registers: Any, desk: Any, begin: Any, end: Any, event: Any) -> Any:
    """The edges of what is due, as a range; none where it is void, or waits."""
    subject = desk.who[event]
    sort, state = facts.sort[subject], registers[STATE]
    if (sort == FIRE or sort == MOVE) and desk.first[subject] != event:
        return end, end
    if sort == DELIVER and not in_flight(known, settings, state, subject - settings[ENVELOPES]):
        return end, end
    e, last = ways_of(known.edges, begin, end, subject)
    if e == last:
        owner = facts.owner[subject]
        if sort == DELIVER or (sort == FIRE and is_armed(facts, known, state, owner, subject)):
            wait(registers, desk, owner, event)
    return e, last


@inlined
def pick_clock(
    rows: Any, facts: Any, known: Any, settings: Any, registers: Any, random: Any, desk: Any, begin: Any, end: Any
) -> Any:
    """The edge that is due next, or the fault that strikes instead; NONE."""
    while registers[HEAP] > 0:
        event = pop(registers, desk)
        e, last = look(facts, known, settings, registers, desk, begin, end, event)
        if e == last:
            continue
        registers[NOW] = max(registers[NOW], desk.when[event])
        if last - e > 1:
            e = least(facts, known.edges, e, last, -2, base_of(random[DRAWS], registers[PICK]))
        registers[PICK] += 1
        if not desk.open[event] or not may_strike(known, settings, registers[STATE]):
            return np.int64(e)
        usual = known.edges[e, ACTION]
        if registers[MEMBER] == TIMED:
            fault = strike(facts, known.edges, registers, random, desk, begin, end, registers[PICK] - 1, usual)
        elif settings[EAGER]:
            fault = strike_eagerly(rows, facts, settings, known.edges, registers, begin, end, usual)
        else:
            fault = np.int64(NONE)
        if fault < 0:
            return np.int64(e)
        struck(facts, settings, registers, random, desk, event, usual, known.edges[fault, ACTION])
        return fault
    return np.int64(NONE)


@inlined
def struck(
    facts: Any, settings: Any, registers: Any, random: Any, desk: Any, event: Any, usual: Any, fault: Any
) -> None:
    """A fault comes instead of what was due: whether that is still to come."""
    if facts.fact[fault, SURVIVES]:
        subject = settings[ENVELOPES] + facts.fact[fault, ENVELOPE]
        schedule(registers, random, desk, subject, facts.delays[subject, 0], facts.delays[subject, 1], 0)
        return
    delivers = facts.sort[desk.who[event]] == DELIVER
    uses_up = facts.fact[fault, CONSUMES] or (facts.fact[fault, DELIVERED] and not delivers)
    if facts.fact[fault, SUBJECT] != facts.fact[usual, SUBJECT] or not uses_up:
        desk.open[event] = 0
        push(registers, desk, event)


# --- following ----------------------------------------------------------------------------------------------


@inlined
def took_clock(
    rows: Any, facts: Any, settings: Any, edges: Any, registers: Any, random: Any, desk: Any, begin: Any, end: Any,
    action: Any,
) -> None:  # fmt: skip
    """An action was taken (BEGUN: the schedule has begun): what it brought about is due some time."""
    if action == BEGUN:
        way = registers[START]
        for i in range(facts.starts[way, 1], facts.starts[way, 2]):
            post(facts, settings, registers, random, desk, facts.begin[i])
        for i in range(facts.starts[way, 3], facts.starts[way, 4]):
            arm(facts, registers, random, desk, i)
        for process in range(desk.waiting.size):
            watch_moves(facts, edges, registers, random, desk, begin, end, process)
        return
    registers[LAST] = action
    for i in range(rows.actions[action, SENDS_FROM], rows.actions[action, SENDS_TO]):
        post(facts, settings, registers, random, desk, rows.pool[i])
    process, sort, subject = rows.actions[action, PROCESS], facts.fact[action, SORT], facts.fact[action, SUBJECT]
    if process >= 0:
        if sort == FIRE or sort == MOVE:
            desk.first[subject] = NONE
        for i in range(facts.fact[action, ARMS_FROM], facts.fact[action, ARMS_TO]):
            arm(facts, registers, random, desk, i)
        if facts.fact[action, ALTERS] or sort == MOVE:
            watch_moves(facts, edges, registers, random, desk, begin, end, process)
    if sort == CUT and facts.delays[subject, 0] >= 0:
        schedule(registers, random, desk, subject, facts.delays[subject, 0], facts.delays[subject, 1], 1)
    if registers[WAITING] > 0:
        wake(rows, facts, registers, desk, action)


@inlined
def post(facts: Any, settings: Any, registers: Any, random: Any, desk: Any, envelope: Any) -> None:
    """An envelope is on its way."""
    subject = settings[ENVELOPES] + envelope
    schedule(registers, random, desk, subject, facts.delays[subject, 0], facts.delays[subject, 1], 1)


@inlined
def arm(facts: Any, registers: Any, random: Any, desk: Any, i: Any) -> None:
    """A timer is armed; the one that ran before is forgotten."""
    subject = facts.arms[i, 0]
    desk.first[subject] = schedule(registers, random, desk, subject, facts.arms[i, 1], facts.arms[i, 2], 1)


@inlined
def watch_moves(
    facts: Any, edges: Any, registers: Any, random: Any, desk: Any, begin: Any, end: Any, process: Any
) -> None:
    """Schedules the moves, or the restart, that have become enabled; a move that was enabled before keeps its due
    time, one that is not any more is forgotten."""
    first, last = facts.own_from[process], facts.own_from[process + 1]
    registers[STAMP] += 1
    for e in range(begin, end):
        subject = edges[e, EVENT]
        if subject < first or subject >= last:
            continue
        low, high = facts.delays[subject, 0], facts.delays[subject, 1]
        if facts.sort[subject] == RESTART:
            schedule(registers, random, desk, subject, low, high, 1)
            break
        if facts.sort[subject] == MOVE and desk.stamp[subject] != registers[STAMP]:
            desk.stamp[subject] = registers[STAMP]
            if desk.first[subject] < 0 and low >= 0:
                desk.first[subject] = schedule(registers, random, desk, subject, low, high, 1)
    for subject in range(first, last):
        if facts.sort[subject] == MOVE and desk.stamp[subject] != registers[STAMP]:
            desk.first[subject] = NONE


@inlined
def wake(rows: Any, facts: Any, registers: Any, desk: Any, action: Any) -> None:
    """What waited for the process that an action happened to may be enabled now; after a heal, everything may."""
    sort = facts.fact[action, SORT]
    if sort == CUT:
        return
    target = rows.actions[action, PROCESS]
    if target < 0 and sort != HEAL:
        target = rows.target[facts.fact[action, ENVELOPE]]
    for process in range(desk.waiting.size):
        if sort == HEAL or process == target:
            event = desk.waiting[process]
            desk.waiting[process] = NONE
            while event >= 0:
                push(registers, desk, event)
                registers[WAITING] -= 1
                event = desk.next[event]
