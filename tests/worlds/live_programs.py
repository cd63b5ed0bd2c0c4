"""Asyncio programs as they stand, each with its twin in which the bug is mended."""

from __future__ import annotations

import asyncio
from typing import Any

from sim import Emission, Monitor, Program, emit, eventually


class Taken(Emission):
    left: int


class NeverBelow(Monitor):
    """Nothing is taken that is not there."""

    states = ("on",)
    transitions = ({"trigger": Taken, "source": "on", "dest": None, "after": "look"},)

    def look(self, taken: Taken) -> None:
        if taken.left < 0:
            self.violate(f"{-taken.left} too many were taken")


def stock(*, mended: bool = False) -> Program:
    """Two clients take from one stock, after a pause in which the other may have done so. The pauses differ, so that the usual
    order shows nothing."""

    async def main(world: Any) -> None:
        lock, left = asyncio.Lock(), [1]

        async def take() -> None:
            if left[0] > 0:
                await asyncio.sleep(0.01)
                left[0] -= 1
                emit(Taken(left[0]))

        async def client(pause_s: float) -> None:
            await asyncio.sleep(pause_s)
            if mended:
                async with lock:
                    await take()
            else:
                await take()

        await asyncio.wait([world.task("client", client(pause_s)) for pause_s in (0.01, 0.05)])

    return Program(main, monitors={"never_below": NeverBelow()})


def slot(*, mended: bool = False) -> Program:
    """A client that is cancelled while it waits for an answer keeps its slot, and the next waits for ever."""

    async def main(world: Any) -> None:
        slots = asyncio.Semaphore(1)
        asked = [0]
        world.watch("asked", lambda: asked[0])

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while await reader.readline():
                writer.write(b"yes\n")
            writer.close()

        async def ask() -> None:
            reader, writer = await asyncio.open_connection("server", 80)
            try:
                asked[0] += 1
                writer.write(b"well?\n")
                await reader.readline()
            finally:
                writer.close()

        async def client() -> None:
            await slots.acquire()
            try:
                await ask()
            except asyncio.CancelledError:
                if mended:
                    slots.release()
                raise
            slots.release()

        world.serve("server:80", answer)
        await asyncio.wait([world.task("client", client()) for _ in range(3)])

    goal = eventually("somebody asks", lambda asked: asked > 0)
    return Program(main, faults="cancel:1@client", properties=[goal])
