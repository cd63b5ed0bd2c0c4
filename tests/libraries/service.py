"""Who answers the programs: a server over HTTP, small enough to be read."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

Answer = Callable[[str, dict[str, Any]], Any]
"""Given a path and what was posted there: what is answered, or an async iterator of the events of a stream."""


class Connections:
    """Counts who is connected, so that a program can wait until nobody is."""

    def __init__(self) -> None:
        self._open = 0
        self._changed = asyncio.Event()

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The handler of each connection."""
        self._open += 1
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await self.converse(reader, writer)
        finally:
            writer.close()
            self._open -= 1
            self._changed.set()

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raise NotImplementedError

    async def left(self) -> None:
        """Everybody has gone. Who has lost a connection, and neither uses nor closes it, waits forever."""
        while self._open:
            self._changed.clear()
            await self._changed.wait()


class Service(Connections):
    """HTTP/1.1, with what is posted and answered in JSON."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self._answer = answer

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            path = line.split()[1].decode()
            length = 0
            while (header := (await reader.readline()).strip()) != b"":
                name, _, value = header.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
            posted = json.loads(await reader.readexactly(length) or b"{}")
            answer = self._answer(path, posted)
            if isinstance(answer, AsyncIterator):
                await self._stream(writer, answer)
            else:
                body = json.dumps(answer).encode()
                writer.write(_head("application/json", f"Content-Length: {len(body)}") + body)
            await writer.drain()

    async def _stream(self, writer: asyncio.StreamWriter, events: AsyncIterator[str]) -> None:
        """Server-sent events, one a chunk."""
        writer.write(_head("text/event-stream", "Transfer-Encoding: chunked"))
        async for event in events:
            chunk = event.encode()
            writer.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            await writer.drain()
        writer.write(b"0\r\n\r\n")


def _head(kind: str, length: str) -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n{length}\r\n\r\n".encode()


def squares(path: str, posted: dict[str, Any]) -> dict[str, Any]:
    """Answers with the square of what is asked."""
    return {"answer": posted["question"] ** 2}
