"""Lost item, by `task.cancel()`: a receiver is cancelled after an item was handed to it, and the item is nowhere."""

from __future__ import annotations

from typing import Any

import anyio

from bench.public_races.answers import wait
from sim import Program, eventually

ITEMS = 4


class Office:
    """Knows where the items are."""

    def __init__(self) -> None:
        self.received: list[int] = []

    async def receive(self, stream: Any) -> None:
        async with stream:
            async for item in stream:
                self.received.append(item)

    def drain(self, stream: Any) -> None:
        with stream:
            while stream.statistics().current_buffer_used:
                self.received.append(stream.receive_nowait())


def system() -> Program:
    async def main(world: Any) -> None:
        sending, receiving = anyio.create_memory_object_stream(ITEMS)
        office = Office()
        world.watch("office", office)
        tasks = [world.task("receiver", office.receive(receiving.clone())) for _ in range(2)]
        with sending:
            for item in range(ITEMS):
                await anyio.sleep(0.1)
                sending.send_nowait(item)
        await wait(tasks)
        office.drain(receiving)

    return Program(
        main,
        properties=[eventually("no item is lost", lambda office: sorted(office.received) == list(range(ITEMS)))],
        faults="cancel:1@receiver",
    )
