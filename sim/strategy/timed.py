"""Virtual time with faults at random moments: for a timed fuzz, while a run with a plan strikes at the first
opportunities."""

from __future__ import annotations

from typing import Any

from sim.strategy.canonical import usual_length
from sim.strategy.strikes import Strikes
from sim.strategy.virtual_time import VirtualTime
from sim.world.choice import Choice, Start
from sim.world.world import AnyWorld


class Timed(VirtualTime):
    """Picks what is due next on a virtual clock; the faults of the budget strike at random moments."""

    name = "timed"

    def begin(self, world: AnyWorld, start: Start[Any] | None = None) -> Start[Any]:
        self._strikes = Strikes(world, self.seed, usual_length(world))
        return super().begin(world, start)

    def _fault(self, at: Any, usual: Choice) -> Choice | None:
        if not self._strikes.is_due(self._step - 1):
            return None
        mine = (None, usual.code)  # a crash in the middle of something else is no way to strike this
        faults = [fault for fault in self._world.enabled(at) if fault.strikes and fault.inside in mine]
        return self._strikes.strike(self._step - 1, faults)
