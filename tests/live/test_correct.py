"""Programs that are right, with the faults they are written to survive, are never accused; each stops being right by one change."""

from __future__ import annotations

import asyncio
import importlib
import struct
from operator import attrgetter
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from sim import fuzz

HERE = Path(__file__).with_name("correct")
SHARED = "doubling"
NAMES = sorted(path.stem for path in HERE.glob("*.py") if path.stem != SHARED)
SLICE, WHOLE = 100, 2_000
"""Schedules in the gate, and in the soak."""

each = pytest.mark.parametrize("name", NAMES)


def module(name: str) -> ModuleType:
    return importlib.import_module(f"tests.live.correct.{name}")


def accused(name: str, schedules: int, seed: int = 0) -> list[str]:
    """What a fuzz says of it, in words."""
    result = fuzz(module(name).system(), schedules=schedules, seed=seed)
    assert result.found or (result.verdict, result.schedules) == ("ok", schedules)
    return [f"{found.property}: {found.message}: {found.schedule}" for found in result.found]


@each
def test_a_program_that_is_right_is_not_accused_whatever_it_is_written_to_survive(name: str) -> None:
    assert module(name).system().faults
    result = fuzz(module(name).system(), schedules=SLICE)
    assert [f"{found.property}: {found.message}: {found.schedule}" for found in result.found] == []
    assert [*result.coverage.untaken] == []


@pytest.mark.soak
@each
def test_a_program_that_is_right_is_not_accused_in_many_schedules(name: str) -> None:
    assert accused(name, WHOLE, seed=1) == []


def test_there_are_enough_of_them() -> None:
    assert len(NAMES) >= 20


async def forgets(*_: Any) -> None:
    """Does nothing."""


async def hurries(ledger: Any) -> None:
    await ledger.write()


async def keeps(job: Any, seconds: float, fails: bool) -> None:
    job.open += 1
    await asyncio.sleep(seconds)
    if fails:
        raise ValueError("bad part")
    job.open -= 1


async def moves_in_parts(accounts: Any, source: str, target: str) -> None:
    accounts.money[source] -= 1
    await asyncio.sleep(0.01)
    accounts.money[target] += 1


async def reads_what_is_there(socket: Any) -> bytes:
    _, size = struct.unpack("!BH", await socket.reader.read(3))
    return await socket.reader.read(size)  # type: ignore[no-any-return]


async def works_on(jobs: asyncio.Queue[int], done: list[int]) -> None:
    while True:
        job = await jobs.get()
        await asyncio.sleep(0.01)
        done.append(job)
        jobs.task_done()


async def takes_first(limiter: Any) -> None:
    limiter.tokens -= 1


WRONG = (
    ("conditions", "Buffer.close", forgets, "deadlock"),
    ("shields", "Ledger.commit", hurries, "main"),
    ("groups", "Job.part", keeps, "main"),
    ("locks", "Accounts.move", moves_in_parts, "main"),
    ("frames", "Socket.receive", reads_what_is_there, "main"),
    ("queues", "work", works_on, "deadlock"),
    ("rates", "Limiter.take", takes_first, "main"),
)


@pytest.mark.parametrize(
    ("name", "what", "instead", "prop"), WRONG, ids=lambda part: part if isinstance(part, str) else ""
)
def test_one_change_and_it_is_accused(
    name: str, what: str, instead: Any, prop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, _, attribute = what.rpartition(".")
    monkeypatch.setattr(attrgetter(owner)(module(name)) if owner else module(name), attribute, instead)
    assert [one.partition(":")[0] for one in accused(name, WHOLE)] == [prop]
