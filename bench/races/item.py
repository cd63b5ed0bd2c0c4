"""Lost item: a stream hands an item to a receiver that is cancelled before it runs, and the item is nowhere."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

from sim import Program, eventually


class Stream:
    """Hands what is sent to who waits for it, or keeps it."""

    def __init__(self) -> None:
        self.kept: deque[str] = deque()
        self.waiting: deque[asyncio.Future[str]] = deque()

    def send(self, item: str) -> None:
        while self.waiting:
            waiter = self.waiting.popleft()
            if not waiter.done():
                waiter.set_result(item)
                return
        self.kept.append(item)

    async def receive(self) -> str:
        if self.kept:
            return self.kept.popleft()
        waiter: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.waiting.append(waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            self.given_up(waiter)
            raise

    def given_up(self, waiter: asyncio.Future[str]) -> None:
        pass


class ReturningStream(Stream):
    """What was handed to a receiver that is gone is sent again."""

    def given_up(self, waiter: asyncio.Future[str]) -> None:
        if not waiter.cancelled():
            self.send(waiter.result())


class Office:
    """Sends two items, and knows where they are."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.received: list[str] = []

    async def receive(self) -> None:
        self.received.append(await self.stream.receive())

    def items(self) -> list[str]:
        return sorted([*self.received, *self.stream.kept])


def system(fixed: bool = False) -> Program:
    async def main(world: Any) -> None:
        office = Office(ReturningStream() if fixed else Stream())
        world.watch("items", office.items)
        clients = [world.task("client", office.receive()) for _ in range(2)]
        await asyncio.sleep(1)
        office.stream.send("a")
        office.stream.send("b")
        await asyncio.wait(clients)

    return Program(
        main,
        properties=[eventually("no item is lost", lambda items: items == ["a", "b"])],
        faults="cancel:1@client",
    )
