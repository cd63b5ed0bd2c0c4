"""Reply to another: a command is cancelled while its reply is under way, and who takes the connection next is given it."""

from __future__ import annotations

from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis

from bench.public_races.answers import Answered, OwnAnswer, wait
from bench.public_races.redis_server import answering
from sim import Program, emit


async def client(redis: Redis, key: str) -> None:
    answer = await redis.get(key)
    emit(Answered(key, answer.decode()))


def system() -> Program:
    async def main(world: Any) -> None:
        world.serve("redis:6379", answering)
        pool = BlockingConnectionPool(host="redis", max_connections=1, timeout=None)
        async with Redis(connection_pool=pool) as redis:
            await wait(world.task("client", client(redis, key)) for key in ("a", "b"))
            await client(redis, "c")
            await pool.disconnect()

    return Program(main, monitors={"own_answer": OwnAnswer()}, faults="cancel:1@client")
