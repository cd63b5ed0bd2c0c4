"""Partial order sampling in compiled code: `sim.strategy.pos`."""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.checker.compiled.jit import inlined
from sim.checker.compiled.layout import PROCESS
from sim.fuzzer.compiled.draws import base_of, mix, stream
from sim.fuzzer.compiled.layout import ACTION, DRAWS, EVENT, LEADS_TO, NONE, PICK
from sim.fuzzer.compiled.strikes import strike


@inlined
def pick_pos(
    rows: Any, facts: Any, edges: Any, registers: Any, random: Any, desk: Any, begin: Any, end: Any, here: Any
) -> Any:
    """The edge that comes next, or NONE."""
    registers[PICK] += 1
    fault = strike(facts, edges, registers, random, desk, begin, end, registers[PICK] - 1, NONE)
    if fault >= 0:
        return fault
    base = base_of(random[DRAWS], registers[PICK])
    best = np.int64(NONE)
    best_rank = best_draw = np.uint64(0)
    for e in range(begin, end):
        action = edges[e, ACTION]
        if edges[e, EVENT] < 0 or edges[e, LEADS_TO] == here:
            continue
        process = rows.actions[action, PROCESS]
        moved = desk.moved[process] if process >= 0 else 0
        rank = mix(stream(random[DRAWS], moved) ^ facts.leads[action])
        draw = mix(base ^ facts.keys[action])
        if best < 0 or rank > best_rank or (rank == best_rank and draw < best_draw):
            best, best_rank, best_draw = np.int64(e), rank, draw
    return best
