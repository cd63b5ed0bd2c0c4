"""A run that is left says nothing any more, and nothing of it stays."""

from __future__ import annotations

import asyncio
import gc
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from sim import Program, fuzz
from sim.live.leaving import quietly

Heard = list[str]


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Iterator[Heard]:
    """What finalisers say aloud."""
    said: Heard = []
    monkeypatch.setattr(sys, "unraisablehook", lambda told: said.append(str(told.exc_value)))
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = lambda message, *_, **__: said.append(str(message))
        yield said


class Loud:
    """Fails when it is thrown away."""

    def __del__(self) -> None:
        raise RuntimeError("loud")


async def holding(inner: Any) -> None:
    """Holds something, itself and in a circle, until it goes on: which it never does."""
    _held = Loud()
    circle: list[Any] = [Loud(), inner]
    circle.append(circle)
    await asyncio.Event().wait()


async def never_awaited() -> None:
    """Nobody begins it."""


async def stuck(world: Any) -> None:
    world.task("client", holding(never_awaited()))
    await asyncio.sleep(1)


def test_what_a_run_leaves_behind_is_thrown_away_in_silence(heard: Heard) -> None:
    found = fuzz(Program(stuck), schedules=30).found
    assert [one.property for one in found] == ["outlives"]
    gc.collect()
    assert heard == []


def test_what_is_thrown_away_elsewhere_is_heard(heard: Heard) -> None:
    Loud()
    with quietly():
        Loud()
        holding(never_awaited()).close()
    assert heard == ["loud"]
    never_awaited()  # type: ignore[unused-coroutine]
    assert heard == ["loud", "coroutine 'never_awaited' was never awaited"]


async def begins_another() -> None:
    try:
        await asyncio.Event().wait()
    finally:
        asyncio.create_task(never_awaited())  # noqa: RUF006


async def left_in_the_middle(world: Any) -> None:
    for _ in range(3):
        world.task("client", begins_another())
    await asyncio.sleep(1)


def test_who_begins_a_task_while_he_is_left_is_left_with_it(heard: Heard) -> None:
    """As clients do that close a connection in their `finally`."""
    found = fuzz(Program(left_in_the_middle), schedules=30).found
    assert [one.property for one in found] == ["outlives"]
    gc.collect()
    assert heard == []
