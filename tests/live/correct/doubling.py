"""A server that doubles numbers, line by line, and who asks it."""

from __future__ import annotations

import asyncio


async def doubling(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while line := await reader.readline():
            writer.write(b"%d\n" % (2 * int(line)))
            await writer.drain()
    finally:
        writer.close()


async def ask(streams: tuple[asyncio.StreamReader, asyncio.StreamWriter], number: int) -> int:
    reader, writer = streams
    writer.write(b"%d\n" % number)
    await writer.drain()
    return int(await reader.readuntil(b"\n"))
