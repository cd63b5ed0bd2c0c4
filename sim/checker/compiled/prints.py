"""Telling states apart in compiled code: sums, fingerprints, the table of those that are known."""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.checker.compiled.jit import compiled, inlined
from sim.checker.compiled.layout import FLYING

_EVEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_A = np.uint64(0xBF58476D1CE4E5B9)
_MIX_B = np.uint64(0x94D049BB133111EB)
_ONE = np.uint64(1)
_ZERO = np.uint64(0)
_HALF = np.uint64(32)


@inlined
def mark(place: Any, value: Any) -> Any:
    """64 bits for a value at a place (the finaliser of splitmix64, see `sim.base.mixer`)."""
    z = ((np.uint64(place) << _HALF) | np.uint64(value)) + _EVEN
    z = (z ^ (z >> np.uint64(30))) * _MIX_A
    z = (z ^ (z >> np.uint64(27))) * _MIX_B
    return z ^ (z >> np.uint64(31))


@inlined
def total(cells: Any, first: Any, length: Any, order: Any) -> Any:
    """The sum of the marks of a state: of its fixed cells, and of each envelope at its place among the equal
    ones (or in its queue). A step changes few terms, so that the sum of a successor need not read it all."""
    h = _ZERO
    for i in range(first):
        h += mark(i, cells[i])
    nth = FLYING
    for i in range(first, length):
        nth = nth + 1 if i > first and order[cells[i]] == order[cells[i - 1]] else FLYING
        h += mark(nth, cells[i])
    return h


@inlined
def fingerprint(h: Any) -> Any:
    """The fingerprint of a state with this sum; never 0."""
    h = (h ^ (h >> np.uint64(32))) * _MIX_A
    h ^= h >> np.uint64(29)
    return h if h != _ZERO else _ONE


@compiled
def widen(slots: Any, ids: Any, more_slots: Any, more_ids: Any) -> None:
    """Fills a larger table of fingerprints; equal ones (of an exact walk) stay apart."""
    mask = np.uint64(more_slots.size - 1)
    numbered = ids.size > 1
    for i in range(slots.size):
        if slots[i] != _ZERO:
            j = slots[i] & mask
            while more_slots[j] != _ZERO:
                j = (j + _ONE) & mask
            more_slots[j] = slots[i]
            if numbered:
                more_ids[j] = ids[i]


@compiled
def admit(slots: Any, ids: Any, number: Any, cells: Any, first: Any, length: Any, order: Any) -> None:
    """Adds a state that is known to be new; there must be room."""
    mask = np.uint64(slots.size - 1)
    h = fingerprint(total(cells, first, length, order))
    i = h & mask
    while slots[i] != _ZERO:
        i = (i + _ONE) & mask
    slots[i] = h
    if ids.size > 1:
        ids[i] = number


def warm_widen() -> None:
    """Makes or loads the code of `widen`."""
    slots, ids = np.zeros(2, np.uint64), np.zeros(1, np.int32)
    widen(slots, ids, slots.copy(), ids)


@inlined
def same_cells(cells: Any, begin: Any, end: Any, other: Any, length: Any) -> Any:
    """Whether a state in the store is the one in `other`."""
    if end - begin != length:
        return False
    for i in range(length):  # noqa: SIM110
        if cells[begin + i] != other[i]:
            return False
    return True


@inlined
def locate(
    slots: Any, ids: Any, kept: Any, offsets: Any, base: Any, exact: Any, cells: Any, length: Any, h: Any
) -> Any:
    """The slot of a state: its own, or a free one."""
    mask = np.uint64(slots.size - 1)
    i = h & mask
    while slots[i] != _ZERO:
        if slots[i] == h:
            if not exact:
                break
            known = ids[i] - base
            if same_cells(kept, offsets[known], offsets[known + 1], cells, length):
                break
        i = (i + _ONE) & mask
    return i
