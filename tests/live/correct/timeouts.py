"""A client that gives up on a slow server, and is served by the next that it asks."""

from __future__ import annotations

import asyncio
from typing import Any

from sim import Program
from tests.live.correct.doubling import ask, doubling


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


async def ask_one(host: str, number: int) -> int:
    streams = await asyncio.open_connection(host, 80)
    try:
        return await ask(streams, number)
    finally:
        streams[1].close()


async def ask_any(number: int) -> int | None:
    for host in ("silent", "db"):
        try:
            async with asyncio.timeout(5):
                return await ask_one(host, number)
        except (TimeoutError, ConnectionError, asyncio.IncompleteReadError):
            continue
    return None


def system() -> Program:
    async def main(world: Any) -> None:
        world.serve("silent:80", silent)
        world.serve("db:80", doubling)
        asked = [world.task("client", ask_any(number)) for number in (1, 2)]
        await asyncio.wait(asked)
        answers = [task.result() for task in asked if not task.cancelled()]
        assert set(answers) <= {2, 4, None}

    return Program(main, faults="cancel:1@client, cut:1, reset:1@db, refuse:1@db")
