"""Reply to a pipeline of another: the commands of a pipeline are cancelled, and go on while the next holds the connection."""

from __future__ import annotations

from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis

from bench.public_races.answers import Answered, OwnAnswer, wait
from bench.public_races.redis_server import answering
from sim import Program, emit


async def client(redis: Redis, key: str) -> None:
    async with redis.pipeline(transaction=False) as pipeline:
        pipeline.get(key)
        (answer,) = await pipeline.execute()
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
