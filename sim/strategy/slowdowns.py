"""Delays and pauses: the faults of a plan that only a clock knows.

A delay makes one message take longer, a pause keeps a process from taking any input for a while; each
strikes eagerly, at its first opportunities in the order written. Both change only when something happens, so that the
run stays one that is possible without a clock.
"""

from __future__ import annotations

from sim.base.durations import show_duration
from sim.faults.plan import FaultEntry
from sim.world.choice import Pending
from sim.world.slowdown import Slowdown
from sim.world.world import AnyWorld


class Slowdowns:
    """What a plan slows down in one run, and what it has slowed down so far (`struck`)."""

    def __init__(self, world: AnyWorld) -> None:
        self._entries = [entry for entry in world.slow_faults if entry.count != 0]
        self._counts = [entry.count for entry in self._entries]
        self.struck: list[Slowdown] = []

    def delay(self, message: Pending, now_ms: int, step: int) -> int:
        """The milliseconds that a message sent now takes longer."""
        entry = self._take("delay", message.places)
        if entry is None:
            return 0
        address = message.address
        assert address is not None  # every message has one
        what = f"{address.source} -> {address.target}  {address.type}"
        return self._strike(entry, f"{what} takes {{}} longer", now_ms, step)

    def pause(self, process: str, now_ms: int, step: int) -> int:
        """The milliseconds that a process pauses now that something is due there."""
        entry = self._take("pause", (process,))
        return 0 if entry is None else self._strike(entry, f"{process} pauses for {{}}", now_ms, step)

    def _take(self, kind: str, where: tuple[str, ...]) -> FaultEntry | None:
        for index, entry in enumerate(self._entries):
            if entry.kind == kind and entry.target in (None, *where) and self._counts[index] != 0:
                count = self._counts[index]
                self._counts[index] = None if count is None else count - 1
                return entry
        return None

    def _strike(self, entry: FaultEntry, text: str, now_ms: int, step: int) -> int:
        lasts_ms = entry.hint_ms or 0
        self.struck.append(Slowdown(step, now_ms, entry.kind, text.format(show_duration(lasts_ms))))
        return lasts_ms
