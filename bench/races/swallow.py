"""Swallowed cancellation: what was waited for is done in the moment of the cancel, and only one of the two is told on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from sim import Emission, Monitor, Program, emit


class Told(Emission):
    """The consumer is told to stop."""


class Taken(Emission):
    letter: str


class StopsWhenTold(Monitor):
    """Nothing is taken by a consumer that was told to stop."""

    states = ("running", "stopped")
    transitions = (
        {"trigger": Taken, "source": "running", "dest": None},
        {"trigger": Told, "source": "running", "dest": "stopped"},
        {"trigger": Taken, "source": "stopped", "dest": None, "after": "complain"},
    )

    def complain(self, taken: Taken) -> None:
        self.violate(f"{taken.letter!r} was taken by a consumer that had been cancelled")


async def hasty_wait_for(work: Coroutine[Any, Any, str], seconds: float) -> str:
    """Runs `work` in a task of its own. If there is a result it is given, and a cancel is forgotten."""
    task = asyncio.create_task(work)
    try:
        await asyncio.wait([task], timeout=seconds)
    except asyncio.CancelledError:
        if not task.done():
            await ended(task)
            raise
    if not task.done():
        await ended(task)
        raise TimeoutError
    return task.result()


async def ended(task: asyncio.Task[str]) -> None:
    task.cancel()
    await asyncio.wait([task])


async def wait_for(work: Coroutine[Any, Any, str], seconds: float) -> str:
    """Runs `work` where it stands, so that the cancel is its own."""
    async with asyncio.timeout(seconds):
        return await work


async def consume(letters: asyncio.Queue[str], wait: Callable[..., Awaitable[str]]) -> None:
    """Takes letters until it is cancelled, or there is none for a minute."""
    while True:
        try:
            emit(Taken(await wait(letters.get(), 60)))
        except TimeoutError:
            return


async def session(world: Any, wait: Callable[..., Awaitable[str]]) -> None:
    """Has a consumer as long as it lives."""
    letters: asyncio.Queue[str] = asyncio.Queue()
    consumer = world.task("consumer", consume(letters, wait))
    try:
        for letter in "ab":
            letters.put_nowait(letter)
            await asyncio.sleep(1)
    finally:
        emit(Told())
        consumer.cancel()
        await asyncio.wait([consumer])


def system(fixed: bool = False) -> Program:
    async def main(world: Any) -> None:
        await asyncio.wait([world.task("session", session(world, wait_for if fixed else hasty_wait_for))])

    return Program(main, monitors={"stops_when_told": StopsWhenTold()})
