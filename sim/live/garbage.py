"""Garbage is collected between runs, and not inside of one: what a finaliser does would otherwise come at a moment that depends
on all that was allocated before."""

from __future__ import annotations

import gc
from types import TracebackType

from sim.live.leaving import unheard

MANY = 5_000
"""Objects that may be left before they are looked through."""
YOUNG = 25
"""Every so many times also what is older, which may hold something by now."""


class Garbage:
    """Around all runs; `between_runs` is called after each. What was there before is left out of every collection until the
    end, so that one costs what the runs have left and not how much is imported."""

    def __init__(self) -> None:
        self._was_on = False
        self._freezes: bool | None = None
        """Whether what was there before is frozen; not where the program has frozen something itself, as to thaw the one would
        thaw the other. To ask takes as long as that is much, so it is asked once."""
        self._collected = 0

    def __enter__(self) -> Garbage:
        self._was_on = gc.isenabled()
        gc.disable()
        if self._freezes is None:
            self._freezes = gc.get_freeze_count() == 0
        if self._freezes:
            gc.freeze()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with unheard():
            gc.collect()  # what is left of runs, while there is little else
        if self._freezes:
            gc.unfreeze()
        if self._was_on:
            gc.enable()

    def between_runs(self) -> None:
        if gc.get_count()[0] < MANY:
            return
        self._collected += 1
        with unheard():
            gc.collect(1 if self._collected % YOUNG else 2)
