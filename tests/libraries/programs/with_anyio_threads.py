"""anyio's threads: agents work in them, and come back to the loop for what only it may do."""

from __future__ import annotations

from typing import Any

import anyio
import anyio.from_thread
import anyio.to_thread

from sim import Program
from tests.libraries.coordinator import coordinate, program


async def note(noted: dict[int, int], question: int) -> None:
    await anyio.sleep(0.1)
    noted[question] = question**2


def work(noted: dict[int, int], question: int) -> int:
    anyio.from_thread.run(note, noted, question)
    return noted[question]


async def ask(noted: dict[int, int], limiter: anyio.CapacityLimiter, question: int) -> int:
    return await anyio.to_thread.run_sync(work, noted, question, limiter=limiter)


def system(planted: bool = False) -> Program:
    async def main(world: Any) -> None:
        noted: dict[int, int] = {}
        limiter = anyio.CapacityLimiter(1)
        await coordinate(world, lambda question: ask(noted, limiter, question), planted=planted)

    return program(main)
