"""The compiled fuzz: schedules one after the other, each a walk along the edges of the states that are known."""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.checker.compiled.jit import compiled, inlined
from sim.checker.compiled.layout import PAUSED, PROCESS, PROGRESS
from sim.fuzzer.compiled.clock import begin_clock, pick_clock, took_clock
from sim.fuzzer.compiled.draws import base_of, derive, least, least_allowed, share, stream
from sim.fuzzer.compiled.expand import expand, go, visit
from sim.fuzzer.compiled.layout import (
    ACTION,
    ALLOWED,
    BATCH,
    BEGIN,
    BEGUN,
    BROKEN,
    CAME_ROUND,
    CHOOSES,
    CHOSE,
    COUNT,
    CUT_SHORT,
    DONE,
    DRAWS,
    EDGE,
    END,
    EVENTUALS,
    EXPANDED,
    FOR_SCHEDULES,
    FOR_START,
    FOUND,
    FROM,
    GO,
    KINDS_KNOWN,
    LEADS_TO,
    LENGTH_SINCE,
    LOOK,
    LOOK_AT,
    LOOK_EVERY,
    MASTER,
    MAX_STEPS,
    MEMBER,
    NONE,
    NUMBER,
    ONWARD,
    OPEN,
    OVERFLOW,
    OWED,
    PCTCP,
    PHASE,
    PICK,
    PORTFOLIO,
    POS,
    QUIET,
    ROUND,
    SCHEDULES,
    SEED,
    SIZED,
    SMALL_DESK,
    SPENT,
    STAND,
    START,
    STATE,
    STATUS,
    STEPS,
    STRATEGY,
    STRICT,
    SUSPECT,
    SWARM,
    TIMED,
    TO,
    TOOK,
    TOTAL_STEPS,
    UNIFORM,
    VIRTUAL_TIME,
    WAYS,
)
from sim.fuzzer.compiled.pctcp import begin_pctcp, note_size, pick_pctcp, took_pctcp
from sim.fuzzer.compiled.pos import pick_pos
from sim.fuzzer.compiled.rounds import came_back, is_hot, is_round, keep, move_on, owes_all_along
from sim.fuzzer.compiled.strikes import begin_strikes

_ZERO = np.uint64(0)
_ONE = np.uint64(1)


@inlined
def begin(facts: Any, known: Any, settings: Any, registers: Any, random: Any, desk: Any) -> None:
    """Begins the schedule of the number that is on."""
    seed = stream(derive(random[MASTER], facts.purposes[FOR_SCHEDULES]), registers[NUMBER])
    member = settings[STRATEGY]
    if member == PORTFOLIO:
        member = registers[NUMBER] % 5
    way = share(derive(seed, facts.purposes[FOR_START]), settings[WAYS]) if settings[WAYS] > 1 else 0
    random[SEED], random[DRAWS] = seed, derive(seed, facts.purposes[member])
    registers[MEMBER], registers[START], registers[STATE] = member, way, facts.starts[way, 0]
    registers[STEPS] = registers[PICK] = registers[OVERFLOW] = 0
    registers[LOOK] = LOOK_EVERY
    registers[TOOK], registers[PHASE] = BEGUN, STAND
    if member == SWARM:
        random[ALLOWED] = _ZERO
        for kind in range(settings[KINDS_KNOWN]):
            random[ALLOWED] |= (derive(random[DRAWS], facts.kinds[kind, 1]) & _ONE) << np.uint64(kind)
    elif member == PCTCP:
        begin_strikes(facts, settings, registers, random, desk)
        begin_pctcp(facts, settings, registers, random, desk)
    elif member == POS:
        begin_strikes(facts, settings, registers, random, desk)
        for process in range(desk.moved.size):
            desk.moved[process] = 0
    elif member == TIMED:
        begin_strikes(facts, settings, registers, random, desk)
        begin_clock(facts, registers, desk)
    elif member == VIRTUAL_TIME:
        begin_clock(facts, registers, desk)
    random[OPEN] = np.uint64(settings[EVENTUALS])
    visit(known, registers, random, registers[STATE])
    keep(registers, registers[STATE], 1)


@inlined
def tell(rows: Any, facts: Any, known: Any, settings: Any, registers: Any, random: Any, desk: Any) -> None:
    """Tells the strategy of the action that was taken."""
    action, member, state = registers[TOOK], registers[MEMBER], registers[STATE]
    first, last = known.head[state, FROM], known.head[state, TO]
    registers[TOOK] = NONE
    if member == PCTCP:
        took_pctcp(rows, facts, settings, known.edges, registers, random, desk, first, last, action)
    elif member == POS:
        if action >= 0 and rows.actions[action, PROCESS] >= 0:
            desk.moved[rows.actions[action, PROCESS]] += 1
    elif member == TIMED or member == VIRTUAL_TIME:
        took_clock(rows, facts, settings, known.edges, registers, random, desk, first, last, action)


@inlined
def pick(rows: Any, facts: Any, known: Any, settings: Any, registers: Any, random: Any, desk: Any) -> Any:
    """The edge that the strategy of this schedule takes, or NONE."""
    state, member = registers[STATE], registers[MEMBER]
    first, last = known.head[state, FROM], known.head[state, TO]
    edges = known.edges
    if member == UNIFORM or member == SWARM:
        base = base_of(random[DRAWS], registers[PICK])
        registers[PICK] += 1
        if member == UNIFORM:
            return least(facts, edges, first, last, state, base)
        return least_allowed(facts, edges, first, last, state, base, random[ALLOWED])
    if member == PCTCP:
        return pick_pctcp(facts, settings, edges, registers, random, desk, first, last, state)
    if member == POS:
        return pick_pos(rows, facts, edges, registers, random, desk, first, last, state)
    return pick_clock(rows, facts, known, settings, registers, random, desk, first, last)


@inlined
def stand(
    rows: Any, facts: Any, known: Any, settings: Any, registers: Any, random: Any, desk: Any, buffers: Any
) -> Any:
    """Picks the next edge: ONWARD if there is one, else how the schedule ended or why it pauses."""
    state = registers[STATE]
    if known.head[state, STATUS] & BROKEN:
        return FOUND
    if not known.head[state, STATUS] & EXPANDED:
        ended = expand(rows, facts, known, settings, registers, buffers)
        if ended != PAUSED:
            return ended
    if registers[TOOK] != NONE:
        tell(rows, facts, known, settings, registers, random, desk)
        if registers[OVERFLOW]:
            return SMALL_DESK
    if registers[STEPS] == registers[MAX_STEPS]:
        registers[CUT_SHORT] += 1
        return DONE
    edge = pick(rows, facts, known, settings, registers, random, desk)
    if registers[OVERFLOW]:
        return SMALL_DESK
    at_rest = known.head[state, STATUS] & QUIET != 0
    wrong = at_rest and (known.head[state, STATUS] & OWED != 0 or random[OPEN] != _ZERO)
    if edge < 0:
        if wrong:
            return FOUND
        if not at_rest and (random[OPEN] != _ZERO or settings[STRICT] or is_hot(rows, known, settings, state)):
            return SUSPECT
        if registers[MEMBER] == PCTCP and settings[SIZED] and at_rest:
            note_size(registers, desk)
        return DONE
    action = known.edges[edge, ACTION]
    if wrong and (not rows.actions[action, PROGRESS] or known.edges[edge, LEADS_TO] == state):
        return FOUND
    registers[EDGE] = edge
    return ONWARD


@inlined
def finish(registers: Any) -> None:
    """Counts the schedule that has ended."""
    registers[SPENT] += registers[STEPS] + 1
    registers[SCHEDULES] += 1
    registers[TOTAL_STEPS] += registers[STEPS]
    registers[NUMBER] += 1
    registers[COUNT] += 1
    registers[PHASE] = BEGIN


@inlined
def came_round(rows: Any, facts: Any, known: Any, settings: Any, registers: Any, random: Any, path: Any) -> Any:
    """The schedule is back where it was: if it could go on like this forever and nothing is owed, it ends. Whether the
    plain engine has to judge it."""
    if not is_round(rows, facts, known, registers, path):
        registers[LOOK_AT] = 2 * registers[LENGTH_SINCE]
        move_on(registers, registers[STATE])
        return False
    if settings[STRICT] or random[OPEN] != _ZERO or owes_all_along(rows, known, settings, registers, path):
        return True
    if registers[ROUND] == 0 or registers[LENGTH_SINCE] < registers[ROUND]:
        registers[ROUND] = registers[LENGTH_SINCE]
    finish(registers)
    return False


@compiled
def run(
    rows: Any, facts: Any, known: Any, settings: Any, registers: Any, random: Any, desk: Any, buffers: Any, path: Any
) -> Any:  # fmt: skip
    """Runs schedules, some BATCH steps of them; says why it paused. FOUND and SUSPECT: the schedule of this number is in
    `path`, as actions, and not counted yet."""
    while True:
        if registers[PHASE] == BEGIN:
            if registers[NUMBER] == registers[END]:
                return DONE
            if registers[SPENT] >= registers[BATCH]:
                registers[SPENT] = 0
                return PAUSED
            begin(facts, known, settings, registers, random, desk)
        if registers[PHASE] == STAND:
            if registers[STEPS] >= registers[LOOK]:
                registers[LOOK] += LOOK_EVERY
                return PAUSED
            ended = stand(rows, facts, known, settings, registers, random, desk, buffers)
            if ended == DONE:
                finish(registers)
                continue
            if ended != ONWARD:
                return ended
            registers[PHASE] = GO
        edge = registers[EDGE]
        if known.edges[edge, LEADS_TO] < 0:
            ended = go(rows, known, settings, registers, buffers)
            if ended != PAUSED:
                return ended
        action, state = known.edges[edge, ACTION], known.edges[edge, LEADS_TO]
        path[registers[STEPS], 0], path[registers[STEPS], 1] = action, registers[STATE]
        known.taken[action] = 1
        if facts.fact[action, CHOOSES] and registers[MEMBER] == PCTCP:
            registers[CHOSE] = 1
        registers[STEPS] += 1
        registers[TOOK], registers[STATE], registers[PHASE] = action, state, STAND
        visit(known, registers, random, state)
        is_back = came_back(rows, registers, action, state) and not known.head[state, STATUS] & BROKEN
        if is_back and came_round(rows, facts, known, settings, registers, random, path):
            return CAME_ROUND
