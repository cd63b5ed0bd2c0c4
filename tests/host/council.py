"""A host of `models.consensus` whose agents answer at once: `python -m tests.host.council WHERE ROUNDS` begins the session s, or
goes on with it, until it is over. It says when an agent is asked, and of a session that is over its state. With the word
`slowly` an agent answers only when it is let: for each line of the standard input once."""

from __future__ import annotations

import asyncio
import sys

from models.consensus import system
from sim.base.errors import SimError
from sim.host import Host, Question, Reply

AGENTS = ("gemini", "claude")


class Prompt:
    """Answers what it is asked, with a text that names the question; `slowly` when it is let."""

    def __init__(self, slowly: bool = False) -> None:
        self.slowly = slowly

    async def ask(self, question: Question) -> Reply:
        print(f"asked {question.key}", flush=True)
        if self.slowly:
            await asyncio.to_thread(sys.stdin.readline)
        return Reply("ok", text=f"{question.process} says ok to {question.key}")

    async def close(self) -> None:
        pass


def council(where: str, slowly: bool = False) -> Host:
    return Host(system, journal=where, adapters=dict.fromkeys(AGENTS, Prompt(slowly)), model="models.consensus")


async def until_over(where: str, rounds: int, slowly: bool = False) -> None:
    async with council(where, slowly) as host:
        if not host.sessions():
            await host.start("s", agents=len(AGENTS), rounds=rounds, stop=False)
        if "s" in host.running:
            await host.until_over("s")
        print(f"session {host.sessions()['s']}", flush=True)


if __name__ == "__main__":
    try:
        asyncio.run(until_over(sys.argv[1], int(sys.argv[2]), "slowly" in sys.argv))
    except SimError as error:
        print(f"error: {error}", flush=True)
