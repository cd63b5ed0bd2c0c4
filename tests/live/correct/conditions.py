"""A buffer of two places, guarded by a condition that tells everybody."""

from __future__ import annotations

import asyncio
from typing import Any

from sim import Program, always

ITEMS = 4


class Buffer:
    def __init__(self) -> None:
        self.changed = asyncio.Condition()
        self.items: list[int] = []
        self.closed = False

    async def put(self, item: int) -> None:
        async with self.changed:
            await self.changed.wait_for(lambda: len(self.items) < 2)
            self.items.append(item)
            self.changed.notify_all()

    async def get(self) -> int | None:
        async with self.changed:
            await self.changed.wait_for(lambda: self.items or self.closed)
            item = self.items.pop(0) if self.items else None
            self.changed.notify_all()
            return item

    async def close(self) -> None:
        async with self.changed:
            self.closed = True
            self.changed.notify_all()


async def produce(buffer: Buffer) -> None:
    for item in range(ITEMS):
        await buffer.put(item)
    await buffer.close()


async def consume(buffer: Buffer, got: list[int]) -> None:
    while (item := await buffer.get()) is not None:
        got.append(item)


def system() -> Program:
    async def main(world: Any) -> None:
        buffer, got = Buffer(), list[int]()
        world.watch("buffer", buffer)
        clients = [world.task("client", consume(buffer, got)) for _ in range(2)]
        await world.task("producer", produce(buffer))
        await asyncio.wait([*clients, world.task("last", consume(buffer, got))])
        assert sorted(got) == list(range(ITEMS))

    return Program(
        main, properties=[always("two at most", lambda buffer: len(buffer.items) <= 2)], faults="cancel:1@client"
    )
