"""Which engine walks: the plain one, the compiled one, or whichever pays."""

from __future__ import annotations

from typing import Literal, get_args

from sim.errors import ConfigError, listing
from sim.explore.compiled.jit import missing

Engine = Literal["auto", "plain", "compiled"]
ENGINES: tuple[Engine, ...] = get_args(Engine)


def lacking(engine: Engine) -> str:
    """What the compiled engine would need and does not have, in one line; empty if nothing, or if it is not wanted.

    Raises `ConfigError` for an engine that is none, or that is wanted by name and cannot run here.
    """
    if engine not in ENGINES:
        raise ConfigError(f"engine {engine!r} is none; use {listing(ENGINES)}")
    lacks = missing() if engine != "plain" else ""
    if engine == "compiled" and lacks:
        raise ConfigError(f"engine 'compiled': {lacks}")
    return lacks


def hand_over_at(engine: Engine, pays_at: int) -> int | None:
    """After how much the compiled engine takes over; None is never."""
    return {"plain": None, "compiled": 0, "auto": pays_at}[engine]
