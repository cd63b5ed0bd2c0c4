"""Lost wake-up: a request that waits for a connection is cancelled when it was just woken, and no next one is woken."""

from __future__ import annotations

from typing import Any

from aiohttp import ClientSession, ClientTimeout, TCPConnector

from bench.public_races.answers import wait
from bench.public_races.http_server import answering
from sim import Program


async def client(session: ClientSession) -> None:
    async with session.get("http://api/") as answer:
        content = await answer.read()
    assert content == b"ok"


def system() -> Program:
    async def main(world: Any) -> None:
        world.serve("api:80", answering)
        patient = ClientTimeout(total=None, sock_connect=None)
        async with ClientSession(connector=TCPConnector(limit=1), timeout=patient) as session:
            await wait(world.task("client", client(session)) for _ in range(3))

    return Program(main, faults="cancel:1@client")
