"""A gate that opens for everybody, and a latch that counts who has passed."""

from __future__ import annotations

import asyncio
from typing import Any

from sim import Program


class Latch:
    def __init__(self, count: int) -> None:
        self.left = count
        self.open = asyncio.Event()

    def count_down(self) -> None:
        self.left -= 1
        if not self.left:
            self.open.set()


async def runner(gate: asyncio.Event, latch: Latch) -> None:
    try:
        await gate.wait()
        await asyncio.sleep(0.01)
    finally:
        latch.count_down()


def system() -> Program:
    async def main(world: Any) -> None:
        gate, latch = asyncio.Event(), Latch(3)

        runners = [world.task("runner", runner(gate, latch)) for _ in range(3)]
        asyncio.get_running_loop().call_later(0.05, gate.set)
        await asyncio.wait(runners)
        assert latch.left == 0 or any(task.cancelled() for task in runners)

    return Program(main, faults="cancel:2@runner")
