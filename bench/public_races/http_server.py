"""As much of an HTTP server as is needed."""

from __future__ import annotations

from asyncio import IncompleteReadError, StreamReader, StreamWriter
from contextlib import suppress

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def answering(reader: StreamReader, writer: StreamWriter) -> None:
    with suppress(ConnectionError, IncompleteReadError):
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(ANSWER)
            await writer.drain()
    writer.close()
