"""Looking things up in compiled code: keys, verdicts, the rows of a state."""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.checker.compiled.jit import compiled, inlined
from sim.checker.compiled.layout import (
    ANY,
    BEHIND,
    BUDGETS,
    CUTS,
    DOWN_MAX,
    HEADS,
    LOCALS,
    LOW,
    NETWORK,
    OWN,
    PROCESSES,
    SET,
    STRUCK,
    STRUCK_BEHIND,
    SURROUNDINGS_ROOT,
    USUAL,
)

_EVEN = np.uint64(0x9E3779B97F4A7C15)
_ONE = np.uint64(1)
_ZERO = np.uint64(0)
_HALF = np.uint64(32)


@inlined
def scatter(key: Any) -> Any:
    """A place for a key in a table of keys."""
    h = key * _EVEN
    return h ^ (h >> _HALF)


@inlined
def find(keys: Any, values: Any, key: Any) -> Any:
    """The value of a key, or -1."""
    mask = np.uint64(keys.size - 1)
    i = scatter(key) & mask
    while keys[i] != key:
        if keys[i] == _ZERO:
            return np.int32(-1)
        i = (i + _ONE) & mask
    return values[i]


@compiled
def put_all(keys: Any, values: Any, more_keys: Any, more_values: Any) -> None:
    """Adds all of `more_keys` but 0; they must be new, and there must be room."""
    mask = np.uint64(keys.size - 1)
    for n in range(more_keys.size):
        if more_keys[n] != _ZERO:
            i = scatter(more_keys[n]) & mask
            while keys[i] != _ZERO:
                i = (i + _ONE) & mask
            keys[i] = more_keys[n]
            values[i] = more_values[n]


@inlined
def verdict(keys: Any, values: Any, prop_start: Any, props: Any, prop: Any, cells: Any) -> Any:
    """What a predicate says: 1, 0, or -1 where it was not asked yet."""
    begin = prop_start[prop]
    node = props[begin]
    for i in range(begin + 1, prop_start[prop + 1]):
        node = find(keys, values, (np.uint64(node) << _HALF) | np.uint64(cells[props[i]]))
        if node < 0:
            return node
    return node


@inlined
def surroundings(rows: Any, settings: Any, cells: Any) -> Any:
    """The number of the surroundings of a state, or -1."""
    keys, values, first = rows.pair_keys, rows.pair_values, settings[LOCALS]
    end = first + settings[BUDGETS] + settings[CUTS]
    limited = settings[DOWN_MAX] >= 0
    node = np.int32(SURROUNDINGS_ROOT if end > first or limited else 0)
    for i in range(first, end):
        bit = _ONE if cells[i] > 0 else _ZERO
        node = find(keys, values, (np.uint64(node) << _HALF) | bit)
        if node < 0:
            return node
    if limited:
        low = 0
        for i in range(settings[PROCESSES]):
            low += rows.flags[cells[i]] & LOW != 0
        node = find(keys, values, (np.uint64(node) << _HALF) | (_ONE if low >= settings[DOWN_MAX] else _ZERO))
    return node


@inlined
def row_key(local: Any, envelope: Any, around: Any, what: Any) -> Any:
    """See `layout`; local value or envelope -1: none."""
    return (
        (np.uint64(local + 1) << np.uint64(40))
        | (np.uint64(envelope + 1) << np.uint64(16))
        | (np.uint64(around) << np.uint64(2))
        | np.uint64(what)
    )


@inlined
def gather_heads(rows: Any, cells: Any, first: Any, length: Any, around: Any, what: Any, found: Any, n: Any) -> Any:
    """The rows of the envelopes that may be delivered, into `found` from `n` on; where they end, or -1 where
    one is unknown."""
    last = -1
    for i in range(first, length):
        e = cells[i]
        group = rows.order[e]
        if group != last:
            last = group
            found[n] = find(rows.row_keys, rows.row_values, row_key(cells[rows.target[e]], e, around, what))
            if found[n] < 0:
                return -1
            n += 1
    return n


@inlined
def gather_behind(rows: Any, cells: Any, first: Any, length: Any, around: Any, found: Any, n: Any) -> Any:
    """The same for the distinct envelopes that are queued after another one."""
    head = first
    for i in range(first, length):
        e = cells[i]
        if rows.order[e] != rows.order[cells[head]]:
            head = i
        again = i == head
        for j in range(head, i):
            again = again or cells[j] == e
        if not again:
            found[n] = find(rows.row_keys, rows.row_values, row_key(cells[rows.target[e]], e, around, STRUCK_BEHIND))
            if found[n] < 0:
                return -1
            n += 1
    return n


@inlined
def gather_own(rows: Any, cells: Any, processes: Any, around: Any, what: Any, found: Any, n: Any) -> Any:
    """The same of the processes themselves."""
    for i in range(processes):
        found[n] = find(rows.row_keys, rows.row_values, row_key(cells[i], -1, around, what))
        if found[n] < 0:
            return -1
        n += 1
    return n


@inlined
def gather(rows: Any, settings: Any, cells: Any, length: Any, around: Any, found: Any) -> Any:
    """The rows of a state, in the order of the plain engine; how many, or -1 where one is unknown."""
    first, processes = settings[LOCALS] + settings[BUDGETS] + settings[CUTS], settings[PROCESSES]
    strikes = rows.strikes[around]
    n = gather_heads(rows, cells, first, length, around, USUAL, found, 0)
    if n >= 0:
        n = gather_own(rows, cells, processes, around, USUAL, found, n)
    if n < 0:
        return n
    found[n] = rows.healing[around]
    n += 1
    if strikes & HEADS:
        n = gather_heads(rows, cells, first, length, around, STRUCK, found, n)
    if n >= 0 and strikes & BEHIND and settings[NETWORK] != ANY and settings[NETWORK] != SET:
        n = gather_behind(rows, cells, first, length, around, found, n)
    if n >= 0 and strikes & OWN:
        n = gather_own(rows, cells, processes, around, STRUCK, found, n)
    if n < 0:
        return n
    found[n] = rows.cutting[around]
    return n + 1
