"""Lost notification: a condition wakes a waiter that is cancelled before it runs, and nobody else is woken."""

from __future__ import annotations

import asyncio
from typing import Any

from sim import Program


class Condition:
    """Wakes who has waited longest."""

    def __init__(self) -> None:
        self.waiting: list[asyncio.Future[None]] = []

    async def wait(self) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self.waiting.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            self.given_up(waiter)
            raise
        finally:
            self.waiting.remove(waiter)

    def given_up(self, waiter: asyncio.Future[None]) -> None:
        pass

    def notify(self) -> None:
        for waiter in self.waiting:
            if not waiter.done():
                waiter.set_result(None)
                return


class PassingCondition(Condition):
    """A waiter that was woken, and cannot make use of it, wakes the next."""

    def given_up(self, waiter: asyncio.Future[None]) -> None:
        if not waiter.cancelled():
            self.notify()


class Box:
    """Holds letters until somebody takes them."""

    def __init__(self, changed: Condition) -> None:
        self.changed = changed
        self.letters: list[str] = []
        self.emptied = asyncio.Event()

    def put(self, letter: str) -> None:
        self.letters.append(letter)
        self.changed.notify()

    async def take(self) -> str:
        while not self.letters:
            await self.changed.wait()
        self.emptied.set()
        return self.letters.pop()


def system(fixed: bool = False) -> Program:
    async def main(world: Any) -> None:
        box = Box(PassingCondition() if fixed else Condition())
        clients = [world.task("client", box.take()) for _ in range(2)]
        await asyncio.sleep(1)
        box.put("a")
        await box.emptied.wait()
        for client in clients:
            client.cancel()
        await asyncio.wait(clients)

    return Program(main, faults="cancel:1@client")
