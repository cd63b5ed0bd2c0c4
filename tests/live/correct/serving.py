"""A server of the program's own, which stops with grace: it accepts no more, and who is served is served to the end."""

from __future__ import annotations

import asyncio
import signal
import socket
from contextlib import suppress
from typing import Any

from sim import Program


class Server:
    def __init__(self) -> None:
        self.socket = socket.create_server(("localhost", 8080))
        self.socket.setblocking(False)
        self.handling: set[asyncio.Task[None]] = set()
        self.served: list[bytes] = []

    def start(self) -> None:
        asyncio.get_running_loop().add_reader(self.socket, self.accept)

    def accept(self) -> None:
        """At once: who has been accepted while somebody waited for it would be lost with a cancellation."""
        with suppress(BlockingIOError):
            connection, _ = self.socket.accept()
            connection.setblocking(False)
            handling = asyncio.create_task(self.handle(connection), name="handle")
            self.handling.add(handling)
            handling.add_done_callback(self.handling.discard)

    async def handle(self, connection: socket.socket) -> None:
        with suppress(ConnectionError):
            reader, writer = await asyncio.open_connection(sock=connection)
            try:
                line = await reader.readline()
                await asyncio.sleep(0.05)
                writer.write(line)
                await writer.drain()
                self.served.append(line)
            finally:
                writer.close()

    async def stop(self) -> None:
        asyncio.get_running_loop().remove_reader(self.socket)
        self.socket.close()
        if self.handling:
            await asyncio.wait(self.handling)


async def client(told: list[bytes]) -> None:
    with suppress(ConnectionError):  # it may have stopped by then
        reader, writer = await asyncio.open_connection("localhost", 8080)
        try:
            writer.write(b"hello\n")
            told.append(await reader.read())
        finally:
            writer.close()


def system() -> Program:
    async def main(world: Any) -> None:
        stopped, server, told = asyncio.Event(), Server(), list[bytes]()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
        server.start()
        clients = asyncio.gather(*(world.task("client", client(told)) for _ in range(2)), return_exceptions=True)
        stop = world.task("stop", stopped.wait())
        await asyncio.wait([clients, stop], return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        await server.stop()
        await clients
        assert set(told) <= {b"hello\n", b""}
        assert len(server.served) >= told.count(b"hello\n")

    return Program(main, faults="stop:1@main, cancel:1@client")
