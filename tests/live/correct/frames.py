"""Messages in frames, with pings beside them and a close that both ends agree on."""

from __future__ import annotations

import asyncio
import struct
from typing import Any

from sim import Program

TEXT, PING, PONG, CLOSE = range(4)


class Socket:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.sending = asyncio.Lock()

    async def send(self, kind: int, body: bytes = b"") -> None:
        async with self.sending:
            self.writer.write(struct.pack("!BH", kind, len(body)) + body)
            await self.writer.drain()

    async def receive(self) -> bytes | None:
        """The next text; None after a close."""
        while True:
            kind, size = struct.unpack("!BH", await self.reader.readexactly(3))
            body = await self.reader.readexactly(size)
            if kind == TEXT:
                return body
            if kind == PING:
                await self.send(PONG, body)
            if kind == CLOSE:
                return None


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    socket = Socket(reader, writer)
    try:
        while (body := await socket.receive()) is not None:
            await socket.send(PING, b"?")
            await socket.send(TEXT, body)
        await socket.send(CLOSE)
    except asyncio.IncompleteReadError:
        pass
    finally:
        writer.close()


async def client(texts: list[bytes]) -> list[bytes]:
    socket = Socket(*await asyncio.open_connection("echo", 80))
    try:
        found = []
        for text in texts:
            await socket.send(TEXT, text)
            answer = await socket.receive()
            assert answer is not None
            found.append(answer)
        await socket.send(CLOSE)
        assert await socket.receive() is None
        return found
    finally:
        socket.writer.close()


def system() -> Program:
    async def main(world: Any) -> None:
        world.serve("echo:80", echo)
        texts = [b"", b"one", b"two" * 200]
        clients = [world.task("client", client(texts)) for _ in range(2)]
        await asyncio.wait(clients)
        assert all(task.cancelled() or task.result() == texts for task in clients)

    return Program(main, faults="split:3, cancel:1@client")
