"""Which run is entered, and by which thread: what all swapped functions ask."""

from __future__ import annotations

import os
from _thread import get_ident
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from sim.live.dice import Dice
from sim.live.in_place import Instead

if TYPE_CHECKING:
    from sim.live.left_open import LeftOpen
    from sim.live.orders import Numbers
    from sim.live.stop_signals import StopSignals
    from sim.live.threads.run_threads import RunThreads


class Surrounded(Protocol):
    """What the surroundings know of a run."""

    @property
    def dice(self) -> Dice: ...
    @property
    def folder(self) -> str | os.PathLike[str] | None:
        """Below it files may be written; None: nowhere."""
        ...

    @property
    def threads(self) -> RunThreads: ...
    @property
    def numbers(self) -> Numbers: ...
    @property
    def left_open(self) -> LeftOpen: ...
    @property
    def signals(self) -> StopSignals: ...
    @property
    def owner(self) -> str:
        """For whom code runs now."""
        ...

    def stop(self) -> None:
        """The program is told to stop."""
        ...

    def now_s(self) -> float:
        """Virtual seconds since the start of the run."""
        ...


class Entering:
    """At most one run is entered, by one thread; for all others everything is as it always was."""

    __slots__ = ("run", "thread")

    def __init__(self) -> None:
        self.run: Surrounded | None = None
        self.thread = 0

    def chooses(self, inside: Callable[..., Any]) -> Instead:
        """`inside(real, run, ...)` in a run, else the real function."""

        def instead(real: Any) -> Any:
            def function(*args: Any, **kwargs: Any) -> Any:
                run = self.run
                if run is None or get_ident() != self.thread:
                    return real(*args, **kwargs)
                return inside(real, run, *args, **kwargs)

            return function

        return instead
