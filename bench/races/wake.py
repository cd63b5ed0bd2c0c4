"""Lost wake-up: a semaphore wakes a waiter that is cancelled before it runs; what it was woken for is there, and no next
waiter is woken."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

from sim import Program


class Semaphore:
    """Lets one at a time in."""

    def __init__(self) -> None:
        self.free = 1
        self.waiting: deque[asyncio.Future[None]] = deque()

    async def __aenter__(self) -> None:
        while not self.free:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self.waiting.append(waiter)
            try:
                await waiter
            except asyncio.CancelledError:
                self.given_up(waiter)
                raise
        self.free -= 1

    async def __aexit__(self, *_: object) -> None:
        self.free += 1
        self.wake()

    def wake(self) -> None:
        while self.waiting:
            waiter = self.waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return

    def given_up(self, waiter: asyncio.Future[None]) -> None:
        pass


class PassingSemaphore(Semaphore):
    """A waiter that was woken, and does not come in, wakes the next."""

    def given_up(self, waiter: asyncio.Future[None]) -> None:
        if not waiter.cancelled():
            self.wake()


async def use(semaphore: Semaphore) -> None:
    async with semaphore:
        await asyncio.sleep(1)


def system(fixed: bool = False) -> Program:
    async def main(world: Any) -> None:
        semaphore = PassingSemaphore() if fixed else Semaphore()
        await asyncio.wait([world.task("client", use(semaphore)) for _ in range(3)])

    return Program(main, faults="cancel:1@client")
