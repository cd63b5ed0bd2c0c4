"""Clients of redis that share one connection: two at once, of whom one may be cancelled, and one after them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis

from bench.public_races.answers import OwnAnswer, wait
from bench.public_races.redis_server import answering
from sim import Program


def sharing(client: Callable[[Redis, str], Awaitable[None]]) -> Program:
    """Each client asks for a key of its own."""

    async def main(world: Any) -> None:
        world.serve("redis:6379", answering)
        pool = BlockingConnectionPool(host="redis", max_connections=1, timeout=None)
        async with Redis(connection_pool=pool) as redis:
            await wait(world.task("client", client(redis, key)) for key in ("a", "b"))
            await client(redis, "c")
            await pool.disconnect()

    return Program(main, monitors={"own_answer": OwnAnswer()}, faults="cancel:1@client")
