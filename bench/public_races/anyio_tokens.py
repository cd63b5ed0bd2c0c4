"""One token, two holders: somebody asks without waiting while a waiter is woken, and both are granted the one token."""

from __future__ import annotations

from typing import Any

import anyio

from bench.public_races.answers import wait
from sim import Program, always


async def use(limiter: anyio.CapacityLimiter) -> None:
    async with limiter:
        await anyio.sleep(0.1)


async def use_if_free(limiter: anyio.CapacityLimiter) -> None:
    for _ in range(3):
        await anyio.sleep(0.07)
        try:
            limiter.acquire_nowait()
        except anyio.WouldBlock:
            continue
        await anyio.sleep(0.02)
        limiter.release()


def system() -> Program:
    async def main(world: Any) -> None:
        limiter = anyio.CapacityLimiter(1)
        world.watch("limiter", limiter)
        await wait(world.task("client", one(limiter)) for one in (use, use, use_if_free))

    return Program(
        main,
        properties=[
            always("no token is granted twice", lambda limiter: limiter.borrowed_tokens <= limiter.total_tokens)
        ],
    )
