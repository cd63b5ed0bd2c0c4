"""A plan that strikes at its first opportunities, in compiled code: `sim.strategy.eager`."""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.checker.compiled.jit import inlined
from sim.fuzzer.compiled.layout import (
    ACTION,
    CUT,
    DELIVER,
    EAGER,
    ENTRIES,
    ENTRY_CRASH,
    ENTRY_CUT,
    ENTRY_REORDER,
    ENVELOPE,
    LAST,
    NONE,
    SORT,
    WINDOW,
    WINDOW_OF,
)


@inlined
def strike_eagerly(
    rows: Any, facts: Any, settings: Any, edges: Any, registers: Any, begin: Any, end: Any, usual: Any
) -> Any:
    """The edge of the first fault of the plan that may strike instead of the usual action, or NONE."""
    best = np.int64(NONE)
    for entry in range(settings[EAGER]):
        for e in range(begin, end):
            fault = edges[e, ACTION]
            drawn_on = facts.fact[fault, ENTRIES] >> entry & 1 != 0
            if drawn_on and fits(rows, facts, registers, fault, entry, usual):
                best = np.int64(e) if best < 0 or facts.keys[fault] < facts.keys[edges[best, ACTION]] else best
        if best >= 0:
            break
    return best


@inlined
def fits(rows: Any, facts: Any, registers: Any, fault: Any, entry: Any, usual: Any) -> Any:
    """Whether a fault is the one that an entry means at this opportunity."""
    what, last = facts.entries[entry, 0], registers[LAST]
    window = facts.fact[fault, WINDOW]
    if what == ENTRY_CRASH:
        return facts.fact[fault, WINDOW_OF] == usual and window == facts.crash_window[usual, entry]
    if what == ENTRY_CUT:
        if facts.fact[fault, SORT] != CUT:
            return False
        return facts.entries[entry, 1] == 0 or (last >= 0 and facts.named[last, entry] != 0)
    if window >= 0 or facts.fact[usual, SORT] != DELIVER:
        return False
    fault_envelope, usual_envelope = facts.fact[fault, ENVELOPE], facts.fact[usual, ENVELOPE]
    if what == ENTRY_REORDER:
        return rows.order[fault_envelope] == rows.order[usual_envelope]
    return fault_envelope == usual_envelope
