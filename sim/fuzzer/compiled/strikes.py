"""Faults at random moments in compiled code: `sim.strategy.strikes`."""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.checker.compiled.jit import inlined
from sim.fuzzer.compiled.draws import base_of, between, derive, mix, stream
from sim.fuzzer.compiled.layout import (
    ACTION,
    DUE,
    FAULTY,
    FOR_STRIKES,
    LENGTH,
    MOST,
    NONE,
    SEED,
    STRIKE,
    STRIKES,
    STRUCK,
    WINDOW_OF,
)

_ONE = np.uint64(1)


@inlined
def begin_strikes(facts: Any, settings: Any, registers: Any, random: Any, desk: Any) -> None:
    """Draws how many faults strike, and at which steps."""
    random[STRIKES] = derive(random[SEED], facts.purposes[FOR_STRIKES])
    number = between(stream(random[STRIKES], 0), 0, settings[MOST])
    for i in range(number):
        step = between(stream(random[STRIKES], i + 1), 0, settings[LENGTH] - 1)
        at = i
        while at > 0 and desk.due[at - 1] > step:
            desk.due[at] = desk.due[at - 1]
            at -= 1
        desk.due[at] = step
    registers[DUE], registers[STRUCK] = number, 0


@inlined
def may_strike(facts: Any, action: Any, usual: Any) -> Any:
    """Whether this is a fault; with a `usual` action (else NONE) no crash of another handler."""
    window_of = facts.fact[action, WINDOW_OF]
    return facts.fact[action, FAULTY] and (usual == NONE or window_of == NONE or window_of == usual)


@inlined
def strike(
    facts: Any, edges: Any, registers: Any, random: Any, desk: Any, begin: Any, end: Any, step: Any, usual: Any
) -> Any:
    """The edge among begin..end whose fault strikes at this step, or NONE."""
    struck = registers[STRUCK]
    if struck == registers[DUE] or desk.due[struck] > step:
        return np.int64(NONE)
    kinds = np.uint64(0)
    for e in range(begin, end):
        if may_strike(facts, edges[e, ACTION], usual):
            kinds |= _ONE << np.uint64(facts.fact[edges[e, ACTION], STRIKE])
    base = base_of(random[STRIKES], step)
    chosen = np.int64(NONE)
    least_draw = np.uint64(0)
    for kind in range(facts.kinds.shape[0]):
        if kinds >> np.uint64(kind) & _ONE:
            draw = mix(base ^ facts.kinds[kind, 0])
            if chosen < 0 or draw < least_draw:
                chosen, least_draw = np.int64(kind), draw
    best = np.int64(NONE)
    if chosen < 0:
        return best
    registers[STRUCK] += 1
    for e in range(begin, end):
        if facts.fact[edges[e, ACTION], STRIKE] == chosen and may_strike(facts, edges[e, ACTION], usual):
            draw = mix(base ^ facts.keys[edges[e, ACTION]])
            if best < 0 or draw < least_draw:
                best, least_draw = np.int64(e), draw
    return best
