"""redis: agents write and read under keys of their own, over a pool of connections."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import redis.asyncio as redis
from redis.exceptions import RedisError

from sim import Program
from tests.libraries.coordinator import coordinate, program
from tests.libraries.redis_server import Redis


async def ask(client: redis.Redis, question: int) -> int | None:
    try:
        await client.set(f"square:{question}", question**2)
        return int(await client.get(f"square:{question}"))
    except RedisError:
        return None


async def ask_on_one(client: redis.Redis, turn: asyncio.Lock, question: int) -> int:
    """Wrong: who is cancelled leaves an answer unread, which the next takes for his own."""
    async with turn:
        await client.connection.send_command("INCRBY", f"square:{question}", question**2)
        answer: int = await client.connection.read_response(disconnect_on_error=False)
        return answer


def system(planted: bool = False) -> Program:
    async def main(world: Any) -> None:
        server = Redis()
        world.serve("redis:6379", server.talk)
        turn = asyncio.Lock()
        client = redis.Redis(host="redis", max_connections=1, single_connection_client=planted)
        with suppress(RedisError, TimeoutError):  # to connect may take too long, and so may to close
            async with client:
                await coordinate(world, lambda one: ask_on_one(client, turn, one) if planted else ask(client, one))
        await server.left()

    return program(main)
