"""Small programs, and runs of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

import pytest

from sim import Emission, Program, Replay, Run, Uniform, fuzz, simulate
from sim.live.around import around
from sim.live.live_world import LiveWorld
from sim.strategy import Canonical
from sim.world.finding import Finding

Main = Callable[[Any], Awaitable[object]]


class Said(Emission):
    """What a program says of itself."""

    what: str


def usual(main: Main, **parts: Any) -> Run:
    """The run in which all comes as usual."""
    return simulate(Program(main, **parts), Canonical())


def replayed(main: Main, schedule: Sequence[str], **parts: Any) -> Run:
    """The run that departs from the usual by these items."""
    return simulate(Program(main, **parts), Replay(schedule, then_usual=True))


def runs(main: Main, seeds: int = 20, **parts: Any) -> list[Run]:
    """Some runs at random."""
    world = LiveWorld(Program(main, **parts))
    with world.walking():
        return [simulate(world, Uniform(seed)) for seed in range(seeds)]


def least(main: Main, schedules: int = 200, **parts: Any) -> tuple[Finding, tuple[str, ...]] | None:
    """What a fuzz finds, and the fewest departures that lead there."""
    found = fuzz(Program(main, **parts), schedules=schedules).found
    if not found:
        return None
    one = found[0].counterexample
    return Finding(one.property, one.message), tuple(one.schedule)


def said(run: Run) -> list[str]:
    """What was emitted, as texts."""
    return [text for event in run.trace.tell().events for text in event.emitted]


@pytest.fixture(autouse=True, scope="module")
def installed_once() -> Iterator[None]:
    """The surroundings of runs, for all tests of a module: to put them in place takes longer than most runs."""
    with around.walks():
        yield


async def idle(seconds: float = 1) -> None:
    """Waits."""
    await asyncio.sleep(seconds)
