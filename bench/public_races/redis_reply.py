"""Reply to another: a command is cancelled while its reply is under way, and who takes the connection next is given it."""

from __future__ import annotations

from redis.asyncio import Redis

from bench.public_races.answers import Answered
from bench.public_races.redis_clients import sharing
from sim import Program, emit


async def client(redis: Redis, key: str) -> None:
    answer = await redis.get(key)
    emit(Answered(key, answer.decode()))


def system() -> Program:
    return sharing(client)
