"""Completed twice: a request has timed out, then its reply comes after all, and completes it again."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from sim import Program

ADDRESS = ("squares", 6379)


async def squares(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while line := await reader.readline():
            writer.write(b"%d\n" % (int(line) ** 2))
            await writer.drain()
    writer.close()


class Client(asyncio.Protocol):
    """Replies come in the order of the requests."""

    def __init__(self) -> None:
        self.asked: list[asyncio.Future[int]] = []
        self.text = b""
        self.closed = asyncio.Event()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        self.closed.set()

    def data_received(self, data: bytes) -> None:
        *lines, self.text = (self.text + data).split(b"\n")
        for line in lines:
            self.complete(self.asked.pop(0), int(line))

    def complete(self, reply: asyncio.Future[int], answer: int) -> None:
        reply.set_result(answer)

    async def ask(self, question: int) -> int:
        loop = asyncio.get_running_loop()
        reply: asyncio.Future[int] = loop.create_future()
        self.asked.append(reply)
        timer = loop.call_later(5, self.expire, reply)
        reply.add_done_callback(lambda _: timer.cancel())
        self.transport.write(b"%d\n" % question)
        return await reply

    def expire(self, reply: asyncio.Future[int]) -> None:
        if not reply.done():
            reply.set_exception(TimeoutError())


class ForgivingClient(Client):
    """A reply that comes too late is passed over."""

    def complete(self, reply: asyncio.Future[int], answer: int) -> None:
        if not reply.done():
            reply.set_result(answer)


async def ask(client: Client, question: int) -> None:
    with suppress(TimeoutError):
        await client.ask(question)


def system(fixed: bool = False) -> Program:
    async def main(world: Any) -> None:
        world.serve(ADDRESS, squares)
        _, client = await asyncio.get_running_loop().create_connection(ForgivingClient if fixed else Client, *ADDRESS)
        await asyncio.wait([world.task("client", ask(client, question)) for question in (2, 3)])
        client.transport.close()
        await client.closed.wait()

    return Program(main)
