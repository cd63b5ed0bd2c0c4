"""The draws of `sim.base.mixer` and the picks of `sim.strategy.base` in compiled code: the same numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.checker.compiled.jit import inlined
from sim.fuzzer.compiled.layout import ACTION, EVENT, KINDS, LEADS_TO, NONE

GAMMA = np.uint64(0x9E3779B97F4A7C15)
_A = np.uint64(0xBF58476D1CE4E5B9)
_B = np.uint64(0x94D049BB133111EB)
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_ONE = np.uint64(1)


@inlined
def mix(z: Any) -> Any:
    """The finaliser of splitmix64."""
    z = (z ^ (z >> np.uint64(30))) * _A
    z = (z ^ (z >> np.uint64(27))) * _B
    return z ^ (z >> np.uint64(31))


@inlined
def stream(seed: Any, index: Any) -> Any:
    """The `index`-th number of the stream of `seed`."""
    return mix(seed + (np.uint64(index) + _ONE) * GAMMA)


@inlined
def base_of(seed: Any, step: Any) -> Any:
    """What the picks of one step are mixed with."""
    return stream(seed, step)


@inlined
def derive(seed: Any, purpose: Any) -> Any:
    """A seed for the purpose with this key."""
    return mix(seed ^ purpose)


@inlined
def share(draw: Any, width: Any) -> Any:
    """The upper half of the product: maps 64 random bits to 0 .. width - 1."""
    width = np.uint64(width)
    a, b, c, d = draw >> _HALF, draw & _LOW, width >> _HALF, width & _LOW
    middle = (b * d >> _HALF) + (a * d & _LOW) + (b * c & _LOW)
    return np.int64(a * c + (a * d >> _HALF) + (b * c >> _HALF) + (middle >> _HALF))


@inlined
def between(draw: Any, low: Any, high: Any) -> Any:
    """Maps 64 random bits to low..high."""
    return low + share(draw, high - low + 1)


@inlined
def least(facts: Any, edges: Any, begin: Any, end: Any, here: Any, base: Any) -> Any:
    """The edge among begin..end, those that lead back `here` left aside, whose action has the least draw; or NONE.
    (Give -2 for `here` to leave none aside: it is the number of no state.)"""
    best = np.int64(NONE)
    best_draw = np.uint64(0)
    for e in range(begin, end):
        if edges[e, LEADS_TO] != here:
            draw = mix(base ^ facts.keys[edges[e, ACTION]])
            if best < 0 or draw < best_draw:
                best, best_draw = np.int64(e), draw
    return best


@inlined
def least_allowed(facts: Any, edges: Any, begin: Any, end: Any, here: Any, base: Any, allowed: Any) -> Any:
    """As `least`, among the actions all of whose faults are of the kinds allowed."""
    best = np.int64(NONE)
    best_draw = np.uint64(0)
    for e in range(begin, end):
        action = edges[e, ACTION]
        fits = edges[e, EVENT] >= 0 or np.uint64(facts.fact[action, KINDS]) & ~allowed == np.uint64(0)
        if fits and edges[e, LEADS_TO] != here:
            draw = mix(base ^ facts.keys[action])
            if best < 0 or draw < best_draw:
                best, best_draw = np.int64(e), draw
    return best


@inlined
def group_end(edges: Any, begin: Any, end: Any) -> Any:
    """Where the ways of the event that begins at this edge end; the ways of an event are neighbours."""
    e = begin + 1
    while e < end and edges[e, EVENT] == edges[begin, EVENT]:
        e += 1
    return e
