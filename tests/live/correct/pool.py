"""A pool of connections: one whose reply was not read is closed, and all are closed at the end."""

from __future__ import annotations

import asyncio
from typing import Any

from sim import Program, always
from tests.live.correct.doubling import ask, doubling

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Pool:
    def __init__(self, size: int) -> None:
        self.slots = asyncio.Semaphore(size)
        self.free: list[Streams] = []
        self.used = 0

    async def ask(self, number: int) -> int:
        async with self.slots:
            self.used += 1
            try:
                streams = self.free.pop() if self.free else await asyncio.open_connection("db", 5432)
                try:
                    answer = await ask(streams, number)
                except BaseException:
                    streams[1].close()
                    raise
                self.free.append(streams)
                return answer
            finally:
                self.used -= 1

    def close(self) -> None:
        for _, writer in self.free:
            writer.close()


async def client(pool: Pool, number: int) -> None:
    for _ in range(2):
        try:
            assert await pool.ask(number) == 2 * number
        except (ConnectionError, asyncio.IncompleteReadError):
            await asyncio.sleep(0.1)


def system() -> Program:
    async def main(world: Any) -> None:
        world.serve("db:5432", doubling)
        pool = Pool(2)
        world.watch("pool", pool)
        await asyncio.wait([world.task("client", client(pool, number)) for number in range(3)])
        assert pool.used == 0
        pool.close()

    return Program(
        main, properties=[always("two at most", lambda pool: pool.used <= 2)], faults="cancel:2@client, reset:1@db"
    )
