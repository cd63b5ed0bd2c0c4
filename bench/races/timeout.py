"""Lock kept at a timeout: the time is up between taking a lock and giving it back, and nobody gives it back."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from sim import Program

ADDRESS = ("disk", 9000)


class File:
    """One at a time writes to it, and not for longer than some seconds."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()

    async def write(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(5):
                await self.lock.acquire()
                await keep()
                self.lock.release()

    async def close(self) -> None:
        """Waits for who is still writing."""
        async with self.lock:
            pass


class CarefulFile(File):
    async def write(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(5), self.lock:
                await keep()


async def keep() -> None:
    reader, writer = await asyncio.open_connection(*ADDRESS)
    try:
        writer.write(b"a\n")
        await reader.readline()
    finally:
        writer.close()


async def disk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        writer.write(await reader.readline())
        await writer.drain()
    writer.close()


def system(fixed: bool = False) -> Program:
    async def main(world: Any) -> None:
        world.serve(ADDRESS, disk)
        file = CarefulFile() if fixed else File()
        await asyncio.wait([world.task("client", file.write()) for _ in range(2)])
        await file.close()

    return Program(main)
