"""Lost item: a receiver's time is up in the turn in which an item is sent, and the item is nowhere."""

from __future__ import annotations

from typing import Any

import anyio

from sim import Program, eventually

ITEMS = 4


class Receiver:
    """Takes what comes, and has something else to do every second."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.received: list[int] = []

    async def receive_all(self) -> None:
        with self.stream:
            while len(self.received) < ITEMS:
                with anyio.move_on_after(1):
                    try:
                        self.received.append(await self.stream.receive())
                    except anyio.EndOfStream:
                        return


def system() -> Program:
    async def main(world: Any) -> None:
        sending, receiving = anyio.create_memory_object_stream(ITEMS)
        receiver = Receiver(receiving)
        world.watch("receiver", receiver)
        task = world.task("receiver", receiver.receive_all())
        with sending:
            for item in range(ITEMS):
                await anyio.sleep(0.7)
                await sending.send(item)
        await task

    return Program(
        main, properties=[eventually("no item is lost", lambda receiver: receiver.received == list(range(ITEMS)))]
    )
