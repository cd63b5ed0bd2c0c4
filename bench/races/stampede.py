"""Stampede: the one who computes for all is cancelled, and all who waited for it begin to compute at once."""

from __future__ import annotations

import asyncio
from typing import Any

from sim import Program, always


class Cache:
    """Computes a value once; who comes meanwhile waits for it."""

    def __init__(self) -> None:
        self.value: int | None = None
        self.ready: asyncio.Event | None = None
        self.computing = 0

    async def get(self) -> int:
        if self.value is None and self.ready is not None:
            await self.ready.wait()
        if self.value is None:
            self.value = await self.leading()
        return self.value

    async def leading(self) -> int:
        """Computes, with others waiting for the end of it."""
        ready = self.ready = asyncio.Event()
        try:
            return await self.compute()
        finally:
            self.ready = None
            ready.set()

    async def compute(self) -> int:
        """Is dear: to be done by one at a time."""
        self.computing += 1
        try:
            await asyncio.sleep(1)
            return 42
        finally:
            self.computing -= 1


class PatientCache(Cache):
    """Who has waited in vain looks whether somebody computes by now."""

    async def get(self) -> int:
        while self.value is None:
            if self.ready is not None:
                await self.ready.wait()
            else:
                self.value = await self.leading()
        return self.value


def system(fixed: bool = False) -> Program:
    async def main(world: Any) -> None:
        cache = PatientCache() if fixed else Cache()
        world.watch("computing", lambda: cache.computing)
        await asyncio.wait([world.task("client", cache.get()) for _ in range(3)])

    return Program(
        main,
        properties=[always("one at a time computes", lambda computing: computing <= 1)],
        faults="cancel:1@client",
    )
