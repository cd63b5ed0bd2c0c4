"""A coordinator of agents as ordinary asyncio code, made of the plain classes of `sim.consensus`, and held against
`models.consensus` in every schedule.

What belongs here: the coordinator and the client it calls with, which know nothing of any simulation; whom it deals with; the
program that puts them together; mistakes that are planted in it. `sim fuzz bench.coordinator` runs it,
`--set mistake=forgets_late` with one of them.
"""

from __future__ import annotations

from bench.coordinator.program import system

__all__ = ["system"]
