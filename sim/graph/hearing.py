"""What monitors make of emissions, remembered: one row for each (local value, emission) of a monitor."""

from __future__ import annotations

from collections.abc import Sequence

from sim.base.errors import ModelError
from sim.base.interner import Interner
from sim.base.values import Emission
from sim.machine.handler import Handler, Local


class Listening:
    """The part of a tabulation that knows its monitors."""

    names: Sequence[str]
    width: int
    """How many processes there are; the monitors come after them."""
    handlers: list[Handler]
    locals: Interner[tuple[int, Local]]
    emissions: Interner[Emission]

    def __init__(self) -> None:
        self._heard_by: list[tuple[int, ...]] = []
        self._notified: dict[tuple[tuple[int, ...], tuple[int, ...]], tuple[int, ...]] = {}
        self.monitor_rows: dict[tuple[int, int], int] = {}
        """(local value of a monitor, emission) -> the local value after it."""

    def notify(self, locals_: tuple[int, ...], heard: tuple[int, ...]) -> tuple[int, ...]:
        """The local values after every monitor heard these emissions."""
        width = self.width
        known = (locals_[width:], heard)
        monitors = self._notified.get(known)
        if monitors is None:
            monitors = self._notified[known] = self._notify(locals_, heard)[width:]
        return locals_[:width] + monitors

    def heard_by(self, emission: int) -> tuple[int, ...]:
        """The monitors that listen to this emission."""
        return self._heard_by[emission]

    def _notify(self, locals_: tuple[int, ...], heard: tuple[int, ...]) -> tuple[int, ...]:
        after = list(locals_)
        for emission in heard:
            for monitor in self._heard_by[emission]:
                after[monitor] = self.hear(after[monitor], emission)
        return tuple(after)

    def hear(self, local: int, emission: int) -> int:
        """The local value of a monitor that listens to this emission, after it heard it."""
        found = self.monitor_rows.get((local, emission))
        if found is None:
            found = self.monitor_rows[local, emission] = self._hear(local, emission)
        return found

    def _hear(self, local: int, emission: int) -> int:
        monitor, value = self.locals.things[local]
        if not value.up:
            return local
        given = self.emissions.things[emission]
        outcomes = self.handlers[monitor].react(value, type(given), given)
        if outcomes is None or len(outcomes) != 1:
            raise ModelError(f"monitor {self.names[monitor]!r} must take {type(given).__name__} in exactly one way")
        return self.locals((monitor, outcomes[0].local))
