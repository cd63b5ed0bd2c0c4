"""Programs whose outcome is the order of what they do: for what may not change which orders there are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any

from sim import Emission, Program, emit
from sim.checker.bounded import BoundedWalk, Departure
from sim.checker.bounded_result import BoundedResult
from sim.checker.plain import Limits
from sim.run.simulation import Walk
from sim.world.world import AnyWorld


class Ended(Emission):
    """All that was done, in its order."""

    log: str


class Collecting(BoundedWalk):
    """Notes the outcome of every schedule: what was emitted last, and what is wrong; and goes on after a violation."""

    def __init__(self, world: AnyWorld, deviations: int, *, merge: bool) -> None:
        super().__init__(world, deviations, Limits(), merge=merge)
        self.outcomes: dict[str, None] = {}

    def _follow(self, walk: Walk, schedule: Departure) -> None:
        same = self.result.same
        super()._follow(walk, schedule)
        if self.result.same == same:
            last = walk.trace.emissions[-1:]
            self.outcomes[f"{last} {walk.finding}"] = None
        walk.finding = None


def outcomes(world: AnyWorld, deviations: int, *, merge: bool) -> tuple[list[str], BoundedResult]:
    """What comes of a program, in any order."""
    walk = Collecting(world, deviations, merge=merge)
    result = walk.run()
    return sorted(walk.outcomes), result


Do = Callable[["Shared", str], Coroutine[Any, Any, None]]


class Shared:
    """What the tasks of one run share."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.lock = asyncio.Lock()
        self.queue: asyncio.Queue[str] = asyncio.Queue()
        self.event = asyncio.Event()


async def say(shared: Shared, name: str) -> None:
    shared.log.append(name)


async def give_way(shared: Shared, name: str) -> None:
    await asyncio.sleep(0)
    shared.log.append(f"{name}.")


async def pause(shared: Shared, name: str) -> None:
    await asyncio.sleep(0.01)
    shared.log.append(f"{name}~")


async def nap(shared: Shared, name: str) -> None:
    await asyncio.sleep(0.02)
    shared.log.append(f"{name}≈")


async def lock(shared: Shared, name: str) -> None:
    async with shared.lock:
        await asyncio.sleep(0)
        shared.log.append(f"{name}!")


async def put(shared: Shared, name: str) -> None:
    shared.queue.put_nowait(name)


async def get(shared: Shared, name: str) -> None:
    async with asyncio.timeout(0.03):
        shared.log.append(f"{name}<{await shared.queue.get()}")


async def sign(shared: Shared, name: str) -> None:
    shared.event.set()
    shared.log.append(f"{name}^")


async def wait(shared: Shared, name: str) -> None:
    async with asyncio.timeout(0.015):
        await shared.event.wait()
    shared.log.append(f"{name}v")


DOINGS: tuple[Do, ...] = (say, give_way, pause, nap, lock, put, get, sign, wait)


def program(seed: int, *, tasks: int = 2, doings: int = 2, **parts: Any) -> Program:
    """A few tasks that do a few things each, drawn by `seed`."""
    drawn = Random(seed)
    plans = [[drawn.choice(DOINGS) for _ in range(doings)] for _ in range(tasks)]

    async def task(shared: Shared, name: str, plan: list[Do]) -> None:
        for do in plan:
            try:
                await do(shared, name)
            except asyncio.CancelledError:
                shared.log.append(f"{name}x")
            except TimeoutError:
                shared.log.append(f"{name}t")

    async def main(world: Any) -> None:
        shared = Shared()
        made = [world.task(f"t{n}", task(shared, f"t{n}", plan)) for n, plan in enumerate(plans)]
        await asyncio.wait(made)
        emit(Ended(log=" ".join(shared.log)))

    return Program(main, **parts)
