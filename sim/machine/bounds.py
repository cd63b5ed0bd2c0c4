"""How often a move may be made: `may = {"push": 2, "stop": None}`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sim.base.values import describe

BOUND_MAX = 1_000_000


def read_bounds(cls: type, fields: dict[str, Any], wrong: Callable[[str], None]) -> dict[str, str]:
    """Each bounded move of a class, with the field that counts what is left of it, which is added to `fields`; `wrong` is
    told what cannot be a bound."""
    for kind in ("must", "timers", "hot", "durable"):
        given = getattr(cls, kind, ())
        if isinstance(given, Mapping):
            wrong(f"{kind} = {given!r} has bounds, but only moves of may have one; write {kind} = {tuple(given)!r}")
    may = getattr(cls, "may", ())
    bounds = {move: most for move, most in may.items() if most is not None} if isinstance(may, Mapping) else {}
    for move, most in bounds.items():
        if type(most) is not int or not 1 <= most <= BOUND_MAX:
            wrong(f"may bounds {move!r} by {describe(most)}; write how often it may be made, 1 to {BOUND_MAX:,}")
    left = {move: f"{move} left" for move in bounds}
    fields |= {left[move]: most for move, most in bounds.items()}
    return left
