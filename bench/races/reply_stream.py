"""Reply to another, on a socket: a connection goes back to its pool with a reply still to be read on it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from bench.races.reply import Answered, OwnAnswer
from sim import Program, emit

ADDRESS = ("squares", 6379)
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def squares(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The server: it answers line by line until the other end is closed."""
    with suppress(ConnectionError):
        while line := await reader.readline():
            writer.write(b"%d\n" % (int(line) ** 2))
            await writer.drain()
    writer.close()


class Pool:
    """Keeps one connection open, for one after the other."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.free: Streams | None = None

    async def ask(self, question: int) -> int:
        async with self.lock:
            streams, self.free = self.free or await asyncio.open_connection(*ADDRESS), None
            try:
                return await talk(streams, question)
            finally:
                self.free = streams

    def close(self) -> None:
        if self.free is not None:
            self.free[1].close()


class CarefulPool(Pool):
    """Keeps a connection only if its last reply was read."""

    async def ask(self, question: int) -> int:
        async with self.lock:
            streams, self.free = self.free or await asyncio.open_connection(*ADDRESS), None
            try:
                answer = await talk(streams, question)
            except BaseException:
                streams[1].close()
                raise
            self.free = streams
            return answer


async def talk(streams: Streams, question: int) -> int:
    reader, writer = streams
    writer.write(b"%d\n" % question)
    await writer.drain()
    return int(await reader.readline())


async def client(pool: Pool, question: int) -> None:
    emit(Answered(question, await pool.ask(question)))


def system(fixed: bool = False) -> Program:
    async def main(world: Any) -> None:
        world.serve(ADDRESS, squares)
        pool = CarefulPool() if fixed else Pool()
        await asyncio.wait([world.task("client", client(pool, question)) for question in (2, 3)])
        pool.close()

    return Program(main, monitors={"own_answer": OwnAnswer()}, faults="cancel:1@client")
