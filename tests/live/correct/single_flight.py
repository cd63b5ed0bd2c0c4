"""A cache that computes each value once, however many ask; it goes on while anybody waits, and a failure is not kept."""

from __future__ import annotations

import asyncio
from typing import Any

from sim import Program, always


class Cache:
    def __init__(self) -> None:
        self.computing: dict[str, asyncio.Task[str]] = {}
        self.waiting: dict[str, int] = {}
        self.values: dict[str, str] = {}
        self.at_work = 0

    async def compute(self, key: str) -> str:
        self.at_work += 1
        try:
            await asyncio.sleep(0.01)
            self.values[key] = key.upper()
            return self.values[key]
        finally:
            self.at_work -= 1

    async def get(self, key: str) -> str:
        if key in self.values:
            return self.values[key]
        task = self.computing.get(key)
        if task is None:
            task = self.computing[key] = asyncio.create_task(self.compute(key), name="compute")
            task.add_done_callback(lambda _: self.computing.pop(key, None))
        self.waiting[key] = self.waiting.get(key, 0) + 1
        try:
            return await asyncio.shield(task)
        finally:
            self.waiting[key] -= 1
            if not self.waiting[key] and not task.done():
                self.computing.pop(key, None)
                task.cancel()
                await asyncio.wait([task])


def system() -> Program:
    async def main(world: Any) -> None:
        cache = Cache()
        world.watch("cache", cache)
        asked = [world.task("client", cache.get(key)) for key in "aab"]
        await asyncio.wait(asked)
        assert all(task.result() in "AB" for task in asked if not task.cancelled())
        assert not cache.computing

    return Program(main, properties=[always("once each", lambda cache: cache.at_work <= 2)], faults="cancel:2@client")
