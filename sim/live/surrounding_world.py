"""What is outside of a run, and as it was again when the run is left for a moment."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from sim.live import emitting
from sim.live.entering import Surrounded
from sim.live.surroundings import surroundings

if TYPE_CHECKING:
    from sim.live.execution import Execution


class Outside(NamedTuple):
    """What is entered and runs in a moment: nothing, or the loop of a test, or a run in whose midst another is closed."""

    run: Surrounded | None
    heard: Execution | None
    loop: asyncio.AbstractEventLoop | None
    hooks: Any

    @classmethod
    def of_now(cls) -> Outside:
        return cls(surroundings.entered, emitting.active, asyncio._get_running_loop(), sys.get_asyncgen_hooks())

    def restore(self) -> None:
        """As it was then."""
        surroundings.leave()
        emitting.active = self.heard
        asyncio._set_running_loop(self.loop)
        sys.set_asyncgen_hooks(*self.hooks)
        if self.run is not None:
            surroundings.enter(self.run)
