"""Reply to a pipeline of another: the commands of a pipeline are cancelled, and go on while the next holds the connection."""

from __future__ import annotations

from redis.asyncio import Redis

from bench.public_races.answers import Answered
from bench.public_races.redis_clients import sharing
from sim import Program, emit


async def client(redis: Redis, key: str) -> None:
    async with redis.pipeline(transaction=False) as pipeline:
        pipeline.get(key)
        (answer,) = await pipeline.execute()
    emit(Answered(key, answer.decode()))


def system() -> Program:
    return sharing(client)
