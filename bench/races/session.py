"""Two sessions for one: somebody looks whether there is a session, and creates it when another has done so meanwhile."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from sim import Program, always

ADDRESS = ("sessions", 8000)


class Store:
    """The server, at the other end of the network: `get`, `create` and `ensure`, one on each connection."""

    def __init__(self) -> None:
        self.sessions = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            word = await reader.readline()
            if word == b"create\n" or (word == b"ensure\n" and not self.sessions):
                self.sessions += 1
            writer.write(b"%d\n" % self.sessions)
            await writer.drain()
        writer.close()


async def call(word: str) -> int:
    reader, writer = await asyncio.open_connection(*ADDRESS)
    writer.write(f"{word}\n".encode())
    sessions = int(await reader.readline())
    writer.close()
    await writer.wait_closed()
    return sessions


async def get_or_create() -> None:
    if not await call("get"):
        await call("create")


async def ensure() -> None:
    """The store looks and creates at once."""
    await call("ensure")


def system(fixed: bool = False) -> Program:
    begin = ensure if fixed else get_or_create

    async def later() -> None:
        await asyncio.sleep(1)
        await begin()

    async def main(world: Any) -> None:
        store = Store()
        world.serve(ADDRESS, store.serve)
        world.watch("sessions", lambda: store.sessions)
        await asyncio.wait([world.task("client", begin()), world.task("client", later())])

    return Program(main, properties=[always("there is one session", lambda sessions: sessions <= 1)])
