"""News for everybody who listens; who is too slow loses the oldest, who leaves is forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sim import Program


class Topic:
    def __init__(self) -> None:
        self.listeners: dict[int, asyncio.Queue[int | None]] = {}

    @contextmanager
    def listening(self, number: int) -> Iterator[asyncio.Queue[int | None]]:
        self.listeners[number] = asyncio.Queue(2)
        try:
            yield self.listeners[number]
        finally:
            del self.listeners[number]

    def publish(self, item: int | None) -> None:
        for queue in self.listeners.values():
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(item)


async def listen(topic: Topic, number: int, pause_s: float) -> list[int]:
    heard = []
    with topic.listening(number) as queue:
        while (item := await queue.get()) is not None:
            heard.append(item)
            await asyncio.sleep(pause_s)
    return heard


def system() -> Program:
    async def main(world: Any) -> None:
        topic = Topic()
        listeners = [world.task("listener", listen(topic, number, 0.02 * number)) for number in range(2)]
        while len(topic.listeners) < sum(not task.done() for task in listeners):
            await asyncio.sleep(0)
        for item in range(5):
            topic.publish(item)
            await asyncio.sleep(0.01)
        topic.publish(None)
        await asyncio.wait(listeners)
        heard = [task.result() for task in listeners if not task.cancelled()]
        assert all(one == sorted(set(one)) for one in heard)
        assert not topic.listeners

    return Program(main, faults="cancel:2@listener")
