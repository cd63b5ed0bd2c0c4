"""A line of stages with short queues between them; the end goes through all of them, as does a stage's death."""

from __future__ import annotations

import asyncio
from typing import Any

from sim import Program

END = -1
ITEMS = 4


async def source(out: asyncio.Queue[int]) -> None:
    for item in range(ITEMS):
        await out.put(item)
    await out.put(END)


async def stage(inn: asyncio.Queue[int], out: asyncio.Queue[int]) -> None:
    while (item := await inn.get()) != END:
        await asyncio.sleep(0.01)
        await out.put(item + 10)
    await out.put(END)


async def sink(inn: asyncio.Queue[int], found: list[int]) -> None:
    while (item := await inn.get()) != END:
        found.append(item)


def system() -> Program:
    async def main(world: Any) -> None:
        queues, found = [asyncio.Queue[int](1) for _ in range(3)], list[int]()
        parts = [source(queues[0]), stage(queues[0], queues[1]), stage(queues[1], queues[2]), sink(queues[2], found)]
        tasks = [world.task("stage", part) for part in parts]
        waiting = set(tasks)
        while waiting and not any(task.cancelled() for task in tasks):
            _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        whole = [item + 20 for item in range(ITEMS)]
        assert found == whole[: len(found)]
        assert found == whole or any(task.cancelled() for task in tasks)

    return Program(main, faults="cancel:1@stage")
