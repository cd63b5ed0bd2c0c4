"""Reply lost at the stop: the program is told to stop, its worker is cancelled at once, and who has asked waits forever."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from sim import Program

Job = tuple[int, asyncio.Future[int]]


class Closed(Exception):
    """Nothing is taken any more."""


class Desk:
    """Answers one after the other, until it is closed."""

    def __init__(self) -> None:
        self.jobs: asyncio.Queue[Job] = asyncio.Queue()
        self.closed = False

    async def work(self) -> None:
        while True:
            question, reply = await self.jobs.get()
            await asyncio.sleep(1)
            reply.set_result(question * question)
            self.jobs.task_done()

    async def ask(self, question: int) -> int:
        if self.closed:
            raise Closed
        reply: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.jobs.put_nowait((question, reply))
        return await reply

    async def close(self) -> None:
        self.closed = True


class OrderlyDesk(Desk):
    """Closes when what was asked is answered."""

    async def close(self) -> None:
        self.closed = True
        await self.jobs.join()


async def client(desk: Desk, question: int) -> None:
    with suppress(Closed):
        await desk.ask(question)


def system(fixed: bool = False) -> Program:
    async def main(world: Any) -> None:
        desk = OrderlyDesk() if fixed else Desk()
        worker = world.task("worker", desk.work())
        clients = [world.task("client", client(desk, question)) for question in (2, 3)]
        try:
            await asyncio.wait(clients)
        finally:
            await desk.close()
            worker.cancel()
            await asyncio.wait([worker, *clients])

    return Program(main, faults="stop:1@main")
