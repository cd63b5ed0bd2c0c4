"""What an action does, in compiled code: to the cells of a state and to their sum."""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.checker.compiled.jit import compiled, inlined
from sim.checker.compiled.layout import (
    BUDGETS,
    BY_LINK,
    CONSUMED,
    CUT,
    CUTS,
    FLYING,
    GONE,
    HEARD_FROM,
    HEARD_TO,
    KIND_MASK,
    LASTING,
    LATEST,
    LOCAL,
    LOCALS,
    NETWORK,
    PROCESS,
    SENDS_FROM,
    SENDS_TO,
    SET,
    SPENDS_FROM,
    SPENDS_TO,
)
from sim.checker.compiled.lookup import find
from sim.checker.compiled.prints import mark

_ZERO = np.uint64(0)
_HALF = np.uint64(32)


@inlined
def hear(
    keys: Any, values: Any, hear_node: Any, hear_start: Any, hear_by: Any, pool: Any, begin: Any, end: Any,
    after: Any, h: Any,
) -> Any:  # fmt: skip
    """Lets monitors hear a range of emissions: whether all their rows are known, and the sum."""
    for i in range(begin, end):
        emission = pool[i]
        node = np.uint64(hear_node[emission]) << _HALF
        for j in range(hear_start[emission], hear_start[emission + 1]):
            monitor = hear_by[j]
            new = find(keys, values, node | np.uint64(after[monitor]))
            if new < 0:
                return False, h
            h += mark(monitor, new) - mark(monitor, after[monitor])
            after[monitor] = new
    return True, h


@inlined
def change(
    actions: Any, action: Any, pool: Any, before: Any, first: Any, budgets: Any, cuts: Any, after: Any, h: Any
) -> Any:
    """Writes the fixed cells after an action to `after`, all but what monitors hear; the sum."""
    for i in range(first):
        after[i] = before[i]
    if actions[action, LOCAL] >= 0:
        at = actions[action, PROCESS]
        after[at] = actions[action, LOCAL]
        h += mark(at, after[at]) - mark(at, before[at])
    for i in range(actions[action, SPENDS_FROM], actions[action, SPENDS_TO]):
        at = budgets + pool[i]
        h -= mark(at, after[at])
        after[at] -= 1
        h += mark(at, after[at])
    if actions[action, CUT] >= 0:
        at = cuts + actions[action, CUT]
        after[at] ^= 1
        h += mark(at, after[at]) - mark(at, before[at])
    return h


@inlined
def count(cells: Any, first: Any, length: Any, envelope: Any) -> Any:
    """How often an envelope is in flight."""
    n = 0
    for i in range(first, length):
        n += cells[i] == envelope
    return n


@inlined
def exchange_sum(
    is_set: Any, pool: Any, cells: Any, first: Any, length: Any, gone: Any, begin: Any, end: Any, h: Any
) -> Any:
    """The sum after one envelope left (-1: none) and a range was sent, in a network without queues."""
    if gone >= 0:
        h -= mark(FLYING + count(cells, first, length, gone) - 1, gone)
    for i in range(begin, end):
        sent = pool[i]
        n = count(cells, first, length, sent) - (sent == gone)
        for j in range(begin, i):
            n += pool[j] == sent
        if not (is_set and n):
            h += mark(FLYING + n, sent)
    return h


@inlined
def exchange(
    order: Any,
    pool: Any,
    network: Any,
    cells: Any,
    first: Any,
    length: Any,
    gone: Any,
    begin: Any,
    end: Any,
    after: Any,
) -> Any:
    """What is in flight after one envelope left (-1: none) and a range was sent; the new length."""
    k = first
    for i in range(first, length):
        if cells[i] == gone:
            gone = -1
        else:
            after[k] = cells[i]
            k += 1
    for i in range(begin, end):
        sent = pool[i]
        kind = order[sent] & KIND_MASK if network == BY_LINK else network
        place = k
        while place > first and order[after[place - 1]] > order[sent]:
            place -= 1
        if kind == SET and place > first and after[place - 1] == sent:
            continue
        if kind == LATEST and place > first and order[after[place - 1]] == order[sent]:
            after[place - 1] = sent
            continue
        for j in range(k, place, -1):
            after[j] = after[j - 1]
        after[place] = sent
        k += 1
    return k


@compiled
def arriving(rows: Any, settings: Any, first: Any, length: Any, after: Any) -> Any:
    """Takes away what can never arrive: its target is gone, or a cut for good holds it. The new length."""
    begin = settings[LOCALS] + settings[BUDGETS]
    lasting = np.int64(0)
    for c in range(settings[LASTING] - 1, settings[CUTS]):
        if after[begin + c] > 0:
            lasting |= np.int64(1) << np.int64(c)
    k = first
    for i in range(first, length):
        e = after[i]
        if not rows.flags[after[rows.target[e]]] & GONE and not rows.crossed[e] & lasting:
            after[k] = e
            k += 1
    return k


@inlined
def build(rows: Any, settings: Any, before: Any, length: Any, action: Any, after: Any) -> Any:
    """Writes the state after an action to `after`; its length, or -1 where the row of a monitor is unknown."""
    first, budgets = settings[LOCALS] + settings[BUDGETS] + settings[CUTS], settings[LOCALS]
    change(rows.actions, action, rows.pool, before, first, budgets, budgets + settings[BUDGETS], after, _ZERO)
    known, _ = hear(
        rows.pair_keys, rows.pair_values, rows.hear_node, rows.hear_start, rows.hear_by, rows.pool,
        rows.actions[action, HEARD_FROM], rows.actions[action, HEARD_TO], after, _ZERO,
    )  # fmt: skip
    if not known:
        return np.int64(-1)
    length = exchange(
        rows.order, rows.pool, settings[NETWORK], before, first, length, rows.actions[action, CONSUMED],
        rows.actions[action, SENDS_FROM], rows.actions[action, SENDS_TO], after,
    )  # fmt: skip
    if settings[LASTING]:
        length = arriving(rows, settings, first, length, after)
    return np.int64(length)
