"""Reply to another: a request is cancelled while its reply is under way, and the next on that connection is given it."""

from __future__ import annotations

import asyncio
from typing import Any

from sim import Emission, Monitor, Program, emit


class Answered(Emission):
    question: int
    answer: int


class OwnAnswer(Monitor):
    """Everybody is given the answer to what he asked."""

    states = ("on",)
    transitions = ({"trigger": Answered, "source": "on", "dest": None, "after": "compare"},)

    def compare(self, said: Answered) -> None:
        if said.answer != said.question * said.question:
            self.violate(f"who asked for the square of {said.question} was told {said.answer}")


class Connection:
    """Carries one request at a time, and takes what comes next for its reply."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.requests: asyncio.Queue[tuple[int, int]] = asyncio.Queue()
        self.replies: asyncio.Queue[tuple[int, int]] = asyncio.Queue()
        self.asked = 0

    async def serve(self) -> None:
        """The other end."""
        while True:
            number, question = await self.requests.get()
            await asyncio.sleep(0.01)
            self.replies.put_nowait((number, question * question))

    async def ask(self, question: int) -> int:
        async with self.lock:
            self.asked += 1
            self.requests.put_nowait((self.asked, question))
            return await self.reply_to(self.asked)

    async def reply_to(self, number: int) -> int:
        _, answer = await self.replies.get()
        return answer


class NumberedConnection(Connection):
    """Passes over replies to requests that nobody waits for any more."""

    async def reply_to(self, number: int) -> int:
        while True:
            replied, answer = await self.replies.get()
            if replied == number:
                return answer


async def client(connection: Connection, question: int) -> None:
    emit(Answered(question, await connection.ask(question)))


def system(fixed: bool = False) -> Program:
    async def main(world: Any) -> None:
        connection = NumberedConnection() if fixed else Connection()
        server = world.task("server", connection.serve())
        await asyncio.wait([world.task("client", client(connection, question)) for question in (2, 3)])
        server.cancel()
        await asyncio.wait([server])

    return Program(main, monitors={"own_answer": OwnAnswer()}, faults="cancel:1@client")
