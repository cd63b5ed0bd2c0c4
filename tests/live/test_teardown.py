"""Teardown, finalisers and late callbacks are no part of a verdict: what a program does when its run is over is its own affair."""

from __future__ import annotations

import asyncio
import gc
import logging
import subprocess
import sys
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from sim import Program, emit, fuzz
from sim.base.errors import RefusedError
from tests.live.small import Said, replayed

Main = Callable[[Any], Awaitable[object]]
KEPT: list[Any] = []
"""What outlives its run."""


class Loud:
    """Raises when it is thrown away, in a cycle so that only the collector finds it."""

    def __init__(self) -> None:
        self.me = self

    def __del__(self) -> None:
        raise ValueError("thrown away")


class Scheduling:
    """Asks its loop for something when it is thrown away."""

    def __init__(self, ask: Callable[[asyncio.AbstractEventLoop], object]) -> None:
        self.loop, self.ask = asyncio.get_running_loop(), ask

    def __del__(self) -> None:
        self.ask(self.loop)


async def never() -> None:
    await asyncio.Event().wait()


async def ends(with_it: object = None) -> None:
    await asyncio.sleep(0.01)


async def drops_what_raises(world: Any) -> None:
    await world.task("client", ends(Loud()))


async def drops_what_makes_a_task(world: Any) -> None:
    await world.task("client", ends())
    made = [Scheduling(lambda loop: loop.create_task(ends())) for _ in range(2)]
    made[0].me = made  # type: ignore[attr-defined]


async def drops_what_calls_later(world: Any) -> None:
    await world.task("client", ends())
    cycle: list[Any] = [Scheduling(lambda loop: loop.call_later(1, KEPT[0]))]
    cycle.append(cycle)


async def drops_what_starts_a_thread(world: Any) -> None:
    await world.task("client", ends())
    cycle: list[Any] = [Scheduling(lambda loop: loop.run_in_executor(None, print))]
    cycle.append(cycle)


async def numbers() -> AsyncIterator[int]:
    try:
        for number in range(9):
            yield number
            await asyncio.sleep(0.01)
    finally:
        await asyncio.sleep(0.01)
        raise ValueError("left open")


async def leaves_a_generator_open(world: Any) -> None:
    KEPT.append(numbers())
    await KEPT[-1].asend(None)


async def drops_a_generator_in_a_cycle(world: Any) -> None:
    cycle: list[Any] = [numbers()]
    cycle.append(cycle)
    await cycle[0].asend(None)


@asynccontextmanager
async def resource() -> AsyncIterator[None]:
    try:
        yield
    finally:
        await asyncio.sleep(0.01)
        raise ValueError("not while it is given back")


async def leaves_a_context_open(world: Any) -> None:
    KEPT.append(resource())
    await KEPT[-1].__aenter__()


async def calls_after_main(world: Any) -> None:
    loop = asyncio.get_running_loop()
    loop.call_later(5, next, iter(()))
    loop.call_soon(loop.call_later, 5, next, iter(()))


async def calls_when_a_task_is_gone(world: Any) -> None:
    task = world.task("client", ends())
    weakref.finalize(task, next, iter(()))
    KEPT.append(weakref.ref(task, lambda _: next(iter(()))))
    await task


async def fails() -> None:
    await asyncio.sleep(0.01)
    raise ValueError("asked for late")


async def asks_late(world: Any) -> None:
    task = world.task("client", fails())
    await asyncio.wait([task])
    await asyncio.sleep(1)
    assert isinstance(task.exception(), ValueError)


async def keeps_a_failure_and_asks(world: Any) -> None:
    task = asyncio.create_task(fails())
    KEPT.append(task)
    with suppress(ValueError):
        await asyncio.shield(task)


async def forgets_a_coroutine(world: Any) -> None:
    cycle: list[Any] = [ends()]
    cycle.append(cycle)


async def leaves_a_connection_open(world: Any) -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readline())
        await never()

    world.serve("echo:7", echo)
    KEPT.append(await asyncio.open_connection("echo", 7))
    KEPT[-1][1].write(b"who\n")
    assert await KEPT[-1][0].readline() == b"who\n"


async def ends_as_a_timeout_does(world: Any) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(1):
            await never()
    asyncio.get_running_loop().call_later(1, next, iter(()))


FINE: tuple[Main, ...] = (
    drops_what_raises,
    drops_what_makes_a_task,
    drops_what_calls_later,
    drops_what_starts_a_thread,
    leaves_a_generator_open,
    drops_a_generator_in_a_cycle,
    leaves_a_context_open,
    calls_after_main,
    calls_when_a_task_is_gone,
    asks_late,
    keeps_a_failure_and_asks,
    forgets_a_coroutine,
    leaves_a_connection_open,
    ends_as_a_timeout_does,
)


def wrong(main: Main, **more: Any) -> list[str]:
    KEPT.clear()
    KEPT.append(None)
    return [f"{found.property}: {found.message}" for found in fuzz(Program(main, **more), schedules=100).found]


@pytest.mark.parametrize("main", FINE, ids=lambda main: main.__name__)
def test_what_happens_after_the_run_is_no_finding_and_heard_of_by_nobody(
    main: Main, capfd: pytest.CaptureFixture[str]
) -> None:
    heard: list[Any] = []
    before, sys.unraisablehook = sys.unraisablehook, heard.append
    try:
        assert wrong(main) == []
        assert sys.unraisablehook == heard.append
    finally:
        sys.unraisablehook = before
        KEPT.clear()
        gc.collect()
    assert (heard, capfd.readouterr()) == ([], ("", ""))


async def drops_what_raises_step_by_step(world: Any) -> None:
    mine = Loud()
    for _ in range(3):
        await asyncio.sleep(0.01)
        emit(Said("another"))
    assert mine


MEASURED = """
from sim import Program, simulate
from sim.run.metering import meter
from sim.strategy import Canonical
from tests.live.test_teardown import drops_what_raises_step_by_step

run = simulate(Program(drops_what_raises_step_by_step, faults="cancel:1@main"), Canonical())
assert len(run.trace.steps) > 2
meter(run.trace)
"""


def test_nor_is_it_heard_when_a_run_is_measured_which_runs_it_again() -> None:
    """In a process of its own: what it leaves is thrown away at the end of that at the latest."""
    done = subprocess.run([sys.executable, "-c", MEASURED], capture_output=True, text=True, check=True)
    assert done.stderr == ""


async def begins_more_when_it_is_left(world: Any) -> None:
    async def client() -> None:
        try:
            await never()
        finally:
            started = asyncio.create_task(ends())
            await asyncio.shield(started)

    async def group() -> None:
        try:
            await never()
        finally:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(ends())

    world.task("client", client())
    world.task("group", group())
    await asyncio.sleep(1)


def test_what_begins_more_when_it_is_left_has_outlived_main_and_that_is_all(capfd: pytest.CaptureFixture[str]) -> None:
    (found,) = wrong(begins_more_when_it_is_left)
    assert found.startswith("outlives: main has ended, and ")
    assert capfd.readouterr() == ("", "")


async def calls_before_its_end(world: Any) -> None:
    asyncio.get_running_loop().call_later(0.5, next, iter(()))
    await asyncio.sleep(1)


async def asks_never(world: Any) -> None:
    await asyncio.wait([world.task("client", fails())])


async def starts_a_process(world: Any) -> None:
    with suppress(Exception):
        subprocess.run(["true"], check=False)


def test_the_same_within_the_run_is_told() -> None:
    assert [found.partition(":")[0] for found in wrong(calls_before_its_end)] == ["exception"]
    assert [found.partition(":")[0] for found in wrong(asks_never)] == ["exception"]
    with pytest.raises(RefusedError, match="a new process"):
        wrong(starts_a_process)


def serving(error: type[Exception]) -> Main:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            await reader.readline()
        raise error("gone")

    async def main(world: Any) -> None:
        world.serve("db:80", echo)
        with suppress(ConnectionError):
            reader, writer = await asyncio.open_connection("db", 80)
            writer.write(b"one\n")
            await reader.readline()
            writer.close()
        await asyncio.sleep(1)

    return main


@pytest.mark.parametrize(("error", "told"), [(ConnectionResetError, False), (ValueError, True)])
def test_of_a_server_that_crashes_when_a_handler_has_failed_only_its_own_failure_is_told(
    error: type[Exception], told: bool
) -> None:
    """The handler's last word is taken by nobody: who would have looked at it is lost in the crash."""
    departures = ["reset main->db", "crash db after resume db/echo at echo"]
    run = replayed(serving(error), departures, faults="reset:1@db, crash:1@db")
    assert run.trace.struck() == {"reset": 1, "crash": 1}
    assert (run.finding is not None and run.finding.property == "exception") is told


async def logs_that_it_was_left(world: Any) -> None:
    async def client() -> None:
        logging.getLogger("client").error("begins")
        try:
            await never()
        finally:
            logging.getLogger("client").error("is left")

    world.task("client", client())
    await asyncio.sleep(1)


def test_what_is_left_logs_nothing_any_more(caplog: pytest.LogCaptureFixture) -> None:
    found = fuzz(Program(logs_that_it_was_left), schedules=5).found
    assert [one.property for one in found] == ["outlives"]
    assert {record.message for record in caplog.records} == {"begins"}
    logging.getLogger("client").error("outside")
    assert caplog.records[-1].message == "outside"
