"""A program as its author makes it: what it declares, and the world of what can happen in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.live.program_parts import ProgramParts

if TYPE_CHECKING:
    from sim.live.live_world import LiveWorld


class Program(ProgramParts):
    __doc__ = ProgramParts.__doc__

    def world(self, _: object = None) -> LiveWorld:
        """What can happen in it, to be walked."""
        from sim.live.live_world import LiveWorld  # whoever only declares a program need not wait for it

        return LiveWorld(self)
