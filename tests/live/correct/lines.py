"""A long text over a connection whose reader is slow: back pressure, parts, and a half-closed end."""

from __future__ import annotations

import asyncio
from typing import Any

from sim import Program

SIZE = 200_000


async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    size = 0
    while part := await reader.read(60_000):
        size += len(part)
        await asyncio.sleep(0.01)
    writer.write(b"%d\n" % size)
    writer.write_eof()
    writer.close()


async def send() -> bytes:
    reader, writer = await asyncio.open_connection("counter", 9)
    try:
        for _ in range(4):
            writer.write(b"x" * (SIZE // 4))
            await writer.drain()
        writer.write_eof()
        return await reader.read()
    finally:
        writer.close()


def system() -> Program:
    async def main(world: Any) -> None:
        world.serve("counter:9", count)
        client = world.task("client", send())
        await asyncio.wait([client])
        assert client.cancelled() or client.result() == b"%d\n" % SIZE

    return Program(main, faults="split:2, cancel:1@client")
