"""Lost slot: who is cancelled while he still takes a slot of a pool has it counted, and never gives it back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sim import Emission, Monitor, Program, emit


class Idle(Emission):
    in_use: int


class NoLeak(Monitor):
    """When nobody uses the pool no slot is in use."""

    states = ("on",)
    transitions = ({"trigger": Idle, "source": "on", "dest": None, "after": "count"},)

    def count(self, idle: Idle) -> None:
        if idle.in_use:
            self.violate(f"nobody uses the pool, and {idle.in_use} of its slots is in use")


class Pool:
    def __init__(self) -> None:
        self.in_use = 0

    async def acquire(self) -> None:
        self.in_use += 1
        await self.check()

    async def check(self) -> None:
        """Whether what stands behind the slot is still alive."""
        await asyncio.sleep(0.01)

    def release(self) -> None:
        self.in_use -= 1

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        await self.acquire()
        try:
            yield
        finally:
            self.release()


class CarefulPool(Pool):
    async def acquire(self) -> None:
        self.in_use += 1
        try:
            await self.check()
        except BaseException:
            self.release()
            raise


async def use(pool: Pool) -> None:
    async with pool.slot():
        await asyncio.sleep(1)


def system(fixed: bool = False) -> Program:
    async def main(world: Any) -> None:
        pool = CarefulPool() if fixed else Pool()
        await asyncio.wait([world.task("client", use(pool)) for _ in range(2)])
        emit(Idle(pool.in_use))

    return Program(main, monitors={"no_leak": NoLeak()}, faults="cancel:1@client")
