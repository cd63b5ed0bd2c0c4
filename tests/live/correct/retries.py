"""A client that tries again, later each time, until the server is back."""

from __future__ import annotations

import asyncio
import random
from typing import Any

from sim import Program
from tests.live.correct.doubling import ask, doubling

TRIES = 8


async def once(number: int) -> int:
    streams = await asyncio.open_connection("db", 5432)
    try:
        return await ask(streams, number)
    finally:
        streams[1].close()


async def insist(number: int) -> int:
    for attempt in range(TRIES):
        try:
            return await once(number)
        except (ConnectionError, asyncio.IncompleteReadError):
            await asyncio.sleep(0.1 * 2**attempt * (1 + random.random()))
    raise ConnectionError("nobody answers")


def system() -> Program:
    async def main(world: Any) -> None:
        world.serve("db:5432", doubling)
        clients = [world.task("client", insist(number)) for number in (3, 4)]
        try:
            assert await asyncio.gather(*clients) == [6, 8]
        except ConnectionError:  # the server was away for long
            await asyncio.wait(clients)

    return Program(main, faults="refuse:2@db, reset:1@db, crash:1@db, split:1")
