"""Fingerprints that are the same in every process, for states known by the numbers of one."""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.checker.compiled.jit import compiled, inlined
from sim.checker.compiled.layout import FLYING
from sim.fuzzer.compiled.draws import GAMMA, mix

_ONE = np.uint64(1)
_ZERO = np.uint64(0)


@inlined
def mark(place: Any, key: Any) -> Any:
    """As `sim.base.mixer.mark`."""
    return mix(key + (np.uint64(place) + _ONE) * GAMMA)


@compiled
def fingerprints(
    locals_: Any, envelopes: Any, order: Any, cells: Any, offsets: Any, states: Any, width: Any, first: Any, prints: Any
) -> None:
    """Those of `sim.graph.graph.Graph.fingerprint` for the first `states` states into `prints`. A state has `width` local
    values; its envelopes begin at cell `first`. `locals_` and `envelopes` are the keys of the things."""
    for n in range(states):
        begin, end = offsets[n], offsets[n + 1]
        total = _ZERO
        for i in range(width):
            total += mark(i, locals_[cells[begin + i]])
        for i in range(width, first):
            total += mark(i, np.uint64(cells[begin + i]))
        place = FLYING
        for i in range(begin + first, end):
            e = cells[i]
            place = place + 1 if i > begin + first and order[e] == order[cells[i - 1]] else FLYING
            total += mark(place, envelopes[e])
        prints[n] = mix(total)
