"""Lost end: a stream is over while its reader is still busy, and the reader asks whether it is over before it reads on."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from sim import Program, eventually

ADDRESS = ("disk", 9000)


class Stream:
    """Takes pieces, the last of which says so."""

    def __init__(self) -> None:
        self.pieces: asyncio.Queue[str] = asyncio.Queue()
        self.over = False

    def send(self, piece: str, last: bool = False) -> None:
        self.pieces.put_nowait(piece)
        self.over = last

    def all_read(self) -> bool:
        return self.over


class PatientStream(Stream):
    def all_read(self) -> bool:
        return self.over and self.pieces.empty()


class Page:
    """What the reader has kept so far."""

    def __init__(self) -> None:
        self.text = ""

    async def read(self, stream: Stream) -> None:
        while not stream.all_read():
            piece = await stream.pieces.get()
            await keep(piece)
            self.text += piece


async def keep(piece: str) -> None:
    """Has a piece written at the other end of the network: mostly that is done before the next one comes."""
    reader, writer = await asyncio.open_connection(*ADDRESS)
    writer.write(f"{piece}\n".encode())
    await reader.readline()
    writer.close()
    await writer.wait_closed()


async def disk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        writer.write(await reader.readline())
        await writer.drain()
    writer.close()


async def write(stream: Stream) -> None:
    for piece in "abc":
        await asyncio.sleep(1)
        stream.send(piece, last=piece == "c")


def system(fixed: bool = False) -> Program:
    async def main(world: Any) -> None:
        world.serve(ADDRESS, disk)
        stream, page = PatientStream() if fixed else Stream(), Page()
        world.watch("text", lambda: page.text)
        await asyncio.wait([world.task("reader", page.read(stream)), world.task("writer", write(stream))])

    return Program(main, properties=[eventually("all is read", lambda text: text == "abc")])
