"""A run with a fault plan strikes eagerly: each entry at its first opportunities, in the order written."""

from __future__ import annotations

from typing import Any

from sim.world.choice import Choice
from sim.world.world import AnyWorld


class Eager:
    """Finds the fault that the plan has for an opportunity, which is something that is about to happen."""

    def __init__(self, world: AnyWorld) -> None:
        self._world = world
        self._last: Choice | None = None

    def took(self, choice: Choice) -> None:
        self._last = choice

    def strike(self, at: Any, usual: Choice) -> Choice | None:
        """The first fault of the plan that may strike instead of `usual`."""
        faults = [choice for choice in self._world.enabled(at) if choice.strikes]
        for index, entry in enumerate(self._world.faults):
            fitting = [f for f in faults if index in f.pays and self._world.is_struck(entry, f, usual, self._last)]
            if fitting:
                first: Choice = min(fitting, key=lambda fault: fault.key)
                return first
        return None
