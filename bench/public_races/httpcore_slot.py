"""Lost slot: a request is cancelled before its connection stands, and its slot of the pool is never given back."""

from __future__ import annotations

from typing import Any

from httpcore import AsyncConnectionPool

from bench.public_races.answers import wait
from bench.public_races.http_server import answering
from sim import Program


async def client(pool: AsyncConnectionPool) -> None:
    answer = await pool.request("GET", "http://api/")
    assert answer.content == b"ok"


def system() -> Program:
    async def main(world: Any) -> None:
        world.serve("api:80", answering)
        async with AsyncConnectionPool(max_connections=1) as pool:
            await wait(world.task("client", client(pool)) for _ in range(3))

    return Program(main, faults="cancel:1@client")
