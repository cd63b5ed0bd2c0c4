"""Hypothesis draws whole schedules of a program: it finds a race, and shrinks it to the deviations that matter."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, find, settings
from hypothesis.errors import NoSuchExample

from sim import Program, Replay, Run, replay_text, schedules, simulate

QUIET = settings(
    max_examples=400,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate, Phase.shrink),
)


def updated(*, locked: bool, faults: str = "") -> Program:
    """Three tasks that add one each, with a pause between reading and writing."""

    async def main(world: Any) -> None:
        total, lock = 0, asyncio.Lock()

        async def add() -> None:
            nonlocal total
            seen = total
            total = seen + 1 if locked else total
            await asyncio.sleep(0)
            total = total if locked else seen + 1

        async def one(after_s: float) -> None:
            await asyncio.sleep(after_s)
            async with lock:
                pass
            await add()

        await asyncio.gather(*(world.task("add", one(0.01 * n)) for n in range(3)))
        assert total == 3, f"3 were added, the total is {total}"

    return Program(main, order="any", faults=faults)


def leaking() -> Program:
    """A lock that who is cancelled keeps."""

    async def main(world: Any) -> None:
        lock = asyncio.Lock()

        async def use() -> None:
            await lock.acquire()
            await asyncio.sleep(1)
            lock.release()

        await asyncio.wait([world.task("user", use()) for _ in range(3)])

    return Program(main, faults="cancel:2@user")


def is_wrong(run: Run) -> bool:
    return run.finding is not None


def test_a_race_is_found_and_shrunk_to_one_deviation() -> None:
    run = find(schedules(leaking()), is_wrong, settings=QUIET)
    assert run.finding is not None
    assert run.finding.property == "deadlock"
    schedule = run.trace.schedule()
    assert len(schedule) == 1
    assert schedule[0].startswith("cancel user")
    assert simulate(leaking(), Replay(schedule)).finding == run.finding


def test_what_is_told_of_a_failure_shows_it_again() -> None:
    run = simulate(leaking(), Replay(["cancel user at use"]))
    assert run.finding is not None
    _, call = replay_text(run).split("replay it with\n")
    again = eval(call, {"simulate": simulate, "Replay": Replay, "system": leaking()})
    assert again.finding == run.finding
    assert "\nthen: usual\n" in replay_text(run, "mine")
    assert simulate(leaking(), Replay(["cancel user at use"], then_usual=False)).finding is None


def test_a_race_of_order_alone_is_found_and_shrunk() -> None:
    run = find(schedules(updated(locked=False)), is_wrong, settings=QUIET)
    assert run.finding is not None
    assert "the total is" in run.finding.message
    assert len(run.trace.schedule()) <= 2


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    with pytest.raises(NoSuchExample):
        find(schedules(updated(locked=True)), is_wrong, settings=settings(QUIET, max_examples=100))
