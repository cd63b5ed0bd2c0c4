"""Whether a schedule goes round, in compiled code: `sim.run.lasso`, step for step."""

from __future__ import annotations

from typing import Any

from sim.checker.compiled.jit import inlined
from sim.checker.compiled.layout import HOT, LOCALS, PROGRESS
from sim.fuzzer.compiled.layout import (
    ACTION,
    EVENT,
    FROM,
    KEPT,
    LEADS_TO,
    LENGTH_SINCE,
    LOOK_AT,
    STEPS,
    SUBJECT,
    TO,
    UNTIL,
)
from sim.run.lasso import ROUND_MAX


@inlined
def keep(registers: Any, state: Any, until: Any) -> None:
    """Begins to wait for a schedule to come back to this state."""
    registers[KEPT], registers[LENGTH_SINCE], registers[UNTIL], registers[LOOK_AT] = state, 0, until, 1


@inlined
def move_on(registers: Any, state: Any) -> None:
    """Waits at a later state, if it has waited long enough."""
    if registers[LENGTH_SINCE] >= registers[UNTIL]:
        keep(registers, state, min(2 * registers[UNTIL], ROUND_MAX))


@inlined
def came_back(rows: Any, registers: Any, action: Any, state: Any) -> Any:
    """Whether the last LENGTH_SINCE steps may be a round, after this one."""
    if not rows.actions[action, PROGRESS]:
        keep(registers, state, 1)
        return False
    registers[LENGTH_SINCE] += 1
    if state == registers[KEPT] and registers[LENGTH_SINCE] >= registers[LOOK_AT]:
        return True
    move_on(registers, state)
    return False


@inlined
def may_move(rows: Any, known: Any, state: Any, subject: Any) -> Any:
    """Whether this can progress in a state, and lead elsewhere."""
    for edge in range(known.head[state, FROM], known.head[state, TO]):
        moves = rows.actions[known.edges[edge, ACTION], PROGRESS] and known.edges[edge, LEADS_TO] != state
        if known.edges[edge, EVENT] == subject and moves:
            return True
    return False


@inlined
def waits(rows: Any, facts: Any, known: Any, path: Any, begin: Any, end: Any, subject: Any) -> Any:
    """Whether this is enabled all along a round, and never taken."""
    for step in range(begin, end):
        if facts.fact[path[step, 0], SUBJECT] == subject or not may_move(rows, known, path[step, 1], subject):
            return False
    return True


@inlined
def is_round(rows: Any, facts: Any, known: Any, registers: Any, path: Any) -> Any:
    """Whether the last steps lead somewhere and are weakly fair."""
    end = registers[STEPS]
    begin = end - registers[LENGTH_SINCE]
    first, moved = path[begin, 1], False
    for step in range(begin, end):
        moved = moved or path[step, 1] != first
    if not moved:
        return False
    for edge in range(known.head[first, FROM], known.head[first, TO]):
        moves = rows.actions[known.edges[edge, ACTION], PROGRESS] and known.edges[edge, LEADS_TO] != first
        if moves and waits(rows, facts, known, path, begin, end, known.edges[edge, EVENT]):
            return False
    return True


@inlined
def is_hot(rows: Any, known: Any, settings: Any, state: Any) -> Any:
    """Whether anything is owed in a state."""
    hot = False
    for machine in range(settings[LOCALS]):
        hot = hot or rows.flags[known.cells[known.offsets[state] + machine]] & HOT != 0
    return hot


@inlined
def owes_all_along(rows: Any, known: Any, settings: Any, registers: Any, path: Any) -> Any:
    """Whether somebody owes something at every step of the round; of what is owed by key it may be one after the other."""
    end = registers[STEPS]
    for machine in range(settings[LOCALS]):
        always = True
        for step in range(end - registers[LENGTH_SINCE], end):
            always = always and rows.flags[known.cells[known.offsets[path[step, 1]] + machine]] & HOT != 0
        if always:
            return True
    return False
