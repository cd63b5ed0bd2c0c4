"""Questions by datagram: they are numbered, and asked again until the answer comes or patience ends."""

from __future__ import annotations

import asyncio
from typing import Any

from sim import Program

TRIES = 5


class Server(asyncio.DatagramProtocol):
    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        number, asked = data.split()
        self.transport.sendto(b"%s %d" % (number, 2 * int(asked)), addr)


class Client(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.waiting: dict[int, asyncio.Future[int]] = {}

    def datagram_received(self, data: bytes, addr: Any) -> None:
        number, answer = map(int, data.split())
        waiter = self.waiting.pop(number, None)
        if waiter is not None and not waiter.done():
            waiter.set_result(answer)


async def ask(transport: Any, protocol: Client, number: int, asked: int) -> int | None:
    waiter = protocol.waiting[number] = asyncio.get_running_loop().create_future()
    try:
        for _ in range(TRIES):
            transport.sendto(b"%d %d" % (number, asked))
            done, _ = await asyncio.wait([waiter], timeout=0.1)
            if done:
                return waiter.result()
        return None
    finally:
        protocol.waiting.pop(number, None)


def system() -> Program:
    async def main(world: Any) -> None:
        loop = asyncio.get_running_loop()
        server, _ = await loop.create_datagram_endpoint(Server, local_addr=("localhost", 53))
        transport, protocol = await loop.create_datagram_endpoint(Client, remote_addr=("localhost", 53))
        asked = [world.task("client", ask(transport, protocol, number, number + 5)) for number in range(2)]
        await asyncio.wait(asked)
        assert [task.result() for task in asked if not task.cancelled() and task.result() not in (10, 12, None)] == []
        transport.close()
        server.close()

    return Program(main, faults="drop:2, duplicate:2, cancel:1@client")
