"""A group of tasks: one fails, the others give back what they have, and the failure is handled."""

from __future__ import annotations

import asyncio
from typing import Any

from sim import Program


class Job:
    def __init__(self) -> None:
        self.open = 0
        self.failures: list[str] = []

    async def part(self, seconds: float, fails: bool) -> None:
        self.open += 1
        try:
            await asyncio.sleep(seconds)
            if fails:
                raise ValueError("bad part")
        finally:
            self.open -= 1
            await asyncio.sleep(0)  # it goes on for a moment

    async def run(self) -> None:
        try:
            async with asyncio.TaskGroup() as parts:
                for number in range(3):
                    parts.create_task(self.part(0.01 * number, fails=number == 1), name="part")
        except* ValueError as group:
            self.failures += [str(error) for error in group.exceptions]


def system() -> Program:
    async def main(world: Any) -> None:
        job = Job()
        task = world.task("job", job.run())
        await asyncio.wait([task])
        assert job.open == 0
        assert task.cancelled() or job.failures == ["bad part"]

    return Program(main, faults="cancel:2@job")
