"""Lock kept: who takes a lock is cancelled before he has it, and nobody gives it back."""

from __future__ import annotations

from typing import Any

import anyio

from bench.public_races.answers import wait
from sim import Program


async def use(lock: Any) -> None:
    for _ in range(2):
        async with lock:
            await anyio.sleep(0.01)


def system() -> Program:
    async def main(world: Any) -> None:
        lock = anyio.Lock()
        await wait(world.task("client", use(lock)) for _ in range(3))

    return Program(main, faults="cancel:1@client")
