"""A worker that stops when it is told to: it takes nothing new, and ends what it has begun."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

from sim import Program


class Worker:
    def __init__(self) -> None:
        self.stopping = asyncio.Event()
        self.begun = self.ended = 0

    async def run(self) -> None:
        while not self.stopping.is_set():
            self.begun += 1
            await asyncio.sleep(0.01)
            self.ended += 1
            try:
                async with asyncio.timeout(1):
                    await self.stopping.wait()
            except TimeoutError:
                if self.begun == 5:
                    return


def system() -> Program:
    async def main(world: Any) -> None:
        worker = Worker()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, worker.stopping.set)
        await world.task("worker", worker.run())
        assert worker.begun == worker.ended >= 1

    return Program(main, faults="stop:2@main")
