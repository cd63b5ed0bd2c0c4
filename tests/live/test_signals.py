"""A program that listens with `signal.signal`, as servers do, is told to stop by the fault, and no signal is one of the process."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

import pytest

from sim import Run, emit
from tests.live.small import Main, Said, installed_once, replayed, usual

once = installed_once


async def listens(_: Any) -> None:
    """As a server: its handler leaves a mark, which a loop looks at now and then."""
    told: list[int] = []
    before = [signal.signal(one, lambda number, _frame: told.append(number)) for one in (signal.SIGTERM, signal.SIGINT)]
    while not told:
        await asyncio.sleep(0.1)
        emit(Said(f"looks at {asyncio.get_running_loop().time():.1f}"))
        if asyncio.get_running_loop().time() > 1:
            break
    for number, handler in zip((signal.SIGTERM, signal.SIGINT), before, strict=True):
        signal.signal(number, handler)
    emit(Said(f"told {[signal.Signals(one).name for one in told]}"))
    for number in told:
        signal.raise_signal(number)
    await asyncio.sleep(1)
    emit(Said("was not told"))


def heard(run: Run) -> list[str]:
    """What was said, in words."""
    return [emission.what for emission in run.trace.emissions]


def stopped(main: Main) -> Run:
    return replayed(main, [f"stop main at {main.__name__}"], faults="stop:1")


def test_its_handler_runs_at_once_and_does_not_wake_the_loop() -> None:
    run = stopped(listens)
    assert (run.verdict, heard(run)) == ("ok", ["looks at 0.1", "told ['SIGTERM']"])


def test_without_the_fault_nothing_is_told() -> None:
    assert heard(usual(listens))[-2:] == ["told []", "was not told"]


async def ignores(_: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    await asyncio.sleep(1)
    emit(Said("goes on"))


async def does_not_listen(_: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    await asyncio.sleep(1)
    emit(Said("goes on"))


@pytest.mark.parametrize(("main", "expected"), [(ignores, ["goes on"]), (does_not_listen, [])])
def test_who_ignores_it_goes_on_and_who_says_nothing_is_cancelled(main: Main, expected: list[str]) -> None:
    assert heard(stopped(main)) == expected


async def fails_when_told(_: Any) -> None:
    signal.signal(signal.SIGTERM, lambda *_: 1 / 0)
    await asyncio.sleep(1)


def test_a_handler_that_fails_is_found() -> None:
    finding = stopped(fails_when_told).finding
    assert finding is not None
    assert (finding.property, "ZeroDivisionError" in finding.message) == ("exception", True)


async def raises_it_itself(_: Any) -> None:
    told: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: told.append(number))
    signal.raise_signal(signal.SIGTERM)
    emit(Said(len(told) * "told"))


def test_a_signal_that_the_program_raises_is_handled_there_and_then() -> None:
    assert heard(usual(raises_it_itself)) == ["told"]


def test_the_handlers_of_the_process_stay_as_they_are() -> None:
    before = [signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)]
    for main in (listens, ignores, raises_it_itself):
        usual(main)
    assert [signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)] == before
