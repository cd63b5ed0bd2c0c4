"""Which engine walks: the plain one, the compiled one, or the faster of the two."""

from __future__ import annotations

from typing import Literal, get_args

from sim.base.errors import ConfigError, unknown
from sim.checker.memory import lacks_room
from sim.native import missing

Engine = Literal["auto", "plain", "compiled"]
ENGINES: tuple[Engine, ...] = get_args(Engine)


def lacking(engine: Engine) -> str:
    """What the compiled engine would need and does not have, in one line; empty if nothing, or if it is not wanted.

    Raises `ConfigError` for an unknown engine, or for one that is named and cannot run here.
    """
    if engine not in ENGINES:
        raise ConfigError(unknown("engine", engine, ENGINES))
    return _without(engine, missing() if engine != "plain" else "")


def unloadable(engine: Engine) -> str:
    """Why there is no room for what the compiled engine works on, in one line; empty if there is. Raises `ConfigError` if the
    engine is wanted by name."""
    why = lacks_room("numpy")
    return _without(engine, why and f"numpy cannot be loaded ({why})")


def _without(engine: Engine, why: str) -> str:
    if engine == "compiled" and why:
        raise ConfigError(f"engine 'compiled': {why}")
    return why and f"{why}, so the plain engine does it all, slower"


def hand_over_at(engine: Engine, pays_at: int) -> int | None:
    """After how much the compiled engine takes over; None is never."""
    return {"plain": None, "compiled": 0, "auto": pays_at}[engine]
