"""As much of a redis server as is needed: the value of each key is its name."""

from __future__ import annotations

from asyncio import IncompleteReadError, StreamReader, StreamWriter
from contextlib import suppress


async def answering(reader: StreamReader, writer: StreamWriter) -> None:
    with suppress(ConnectionError, IncompleteReadError):
        while command := await words(reader):
            writer.write(b"$%d\r\n%s\r\n" % (len(command[-1]), command[-1]) if command[0] == b"GET" else b"+OK\r\n")
            await writer.drain()
    writer.close()


async def words(reader: StreamReader) -> list[bytes]:
    """A command; empty at the end."""
    count = await reader.readline()
    found = []
    for _ in range(int(count[1:] or b"0")):
        size = int((await reader.readline())[1:])
        found.append((await reader.readexactly(size + 2))[:size])
    return found
