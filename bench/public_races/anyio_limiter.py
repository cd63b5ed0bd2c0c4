"""Lost wake-up: a limiter wakes a waiter that is cancelled before it runs, and no next waiter is woken."""

from __future__ import annotations

from typing import Any

import anyio

from bench.public_races.answers import wait
from sim import Program


async def use(limiter: anyio.CapacityLimiter) -> None:
    async with limiter:
        await anyio.sleep(0.1)


def system() -> Program:
    async def main(world: Any) -> None:
        limiter = anyio.CapacityLimiter(1)
        await wait(world.task("client", use(limiter)) for _ in range(3))

    return Program(main, faults="cancel:1@client")
