"""A council of two agents that answer when they are let, hosted in a thread of its own, beside whoever looks at it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from models.consensus import system
from sim.campaign.hosted_sessions import HostedEntry, HostedPlan
from sim.host import Host, Question, Reply
from sim.metrics import TokenUsage

AGENTS = ("gemini", "claude")
NASTY = "</script><script>document.title='taken'</script><!--<b>x & y"
NAME = "plan"


class Agents:
    """Stands for both; each answer has to be allowed. `rounds` of them are allowed at first."""

    def __init__(self, rounds: int, text: str = "fine") -> None:
        self.text = text
        self._allowed = threading.Semaphore(rounds * len(AGENTS))

    def allow(self, rounds: int = 1) -> None:
        self._allowed.release(rounds * len(AGENTS))

    async def ask(self, question: Question) -> Reply:
        while not self._allowed.acquire(blocking=False):
            await asyncio.sleep(0.01)
        return Reply("ok", text=f"{question.process}: {self.text}", usage=TokenUsage(100, 10), model="gpt-4o")

    async def close(self) -> None: ...


def host_of(journal: Path, agents: Any, **more: Any) -> Host:
    adapters = dict.fromkeys(AGENTS, agents)
    return Host(
        system,
        journal=str(journal),
        adapters=adapters,
        model="models.consensus",
        carries={"Store": "Response"},
        leaves=None,
        **more,
    )


def over(journal: Path, rounds: int = 1, text: str = "fine", **more: Any) -> None:
    """Host a session until it is over."""

    async def live() -> None:
        async with host_of(journal, Agents(rounds, text), **more) as host:
            await host.start(NAME, agents=2, rounds=rounds)
            await host.until_over(NAME)

    asyncio.run(live())


@contextmanager
def under_way(journal: Path, agents: Agents, rounds: int) -> Iterator[None]:
    """Host a session until this is left; it is over when all that was asked is answered."""
    begun, stop = threading.Event(), threading.Event()
    failed: list[BaseException] = []

    async def live() -> None:
        async with host_of(journal, agents) as host:
            await host.start(NAME, agents=2, rounds=rounds)
            begun.set()
            while not stop.is_set():
                await asyncio.sleep(0.01)

    def run() -> None:
        try:
            asyncio.run(live())
        except BaseException as error:
            failed.append(error)
        begun.set()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert begun.wait(60)
        yield
    finally:
        stop.set()
        thread.join()
    assert not failed, failed


def entry_of(journal: Path) -> HostedEntry:
    """What the store has of it."""
    plan = HostedPlan("models.consensus", NAME, str(journal), "c.yaml")
    return HostedEntry(1, plan, None, None, "open", 0, 0, True)
