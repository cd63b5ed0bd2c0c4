"""Who waits by asking again and again leaves others a turn, as on a machine; and a wait that was in vain ends after its time."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from sim import Program, fuzz, simulate
from sim.live import execution
from sim.live.threads import run_threads
from sim.strategy import Canonical
from tests.live.small import Main, installed_once, usual  # noqa: F401


def asks(flag: list[int]) -> None:
    while not flag:
        time.sleep(0)


async def for_a_thread(_: Any) -> None:
    flag: list[int] = []
    one, other = (asyncio.create_task(asyncio.to_thread(asks, flag)) for _ in range(2))
    await asyncio.gather(one, other, asyncio.to_thread(flag.append, 1))


async def for_the_loop(_: Any) -> None:
    flag: list[int] = []
    waits = asyncio.create_task(asyncio.to_thread(asks, flag))
    await asyncio.sleep(1)
    flag.append(1)
    await waits


async def a_task_for_a_thread(_: Any) -> None:
    future = asyncio.get_running_loop().run_in_executor(None, int)
    while not future.done():
        await asyncio.sleep(0)


async def while_the_loop_waits(_: Any) -> None:
    flag: list[int] = []
    threads = [threading.Thread(target=asks, args=(flag,)), threading.Thread(target=flag.append, args=(1,))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


async def while_the_loop_waits_for_a_timer(_: Any) -> None:
    flag: list[int] = []
    thread = threading.Thread(target=asks, args=(flag,))
    thread.start()
    threading.Timer(5, flag.append, (1,)).start()
    thread.join()


SPINS: list[Main] = [
    for_a_thread,
    for_the_loop,
    a_task_for_a_thread,
    while_the_loop_waits,
    while_the_loop_waits_for_a_timer,
]


@pytest.mark.parametrize("main", SPINS, ids=lambda main: main.__name__)
def test_it_ends(main: Main) -> None:
    assert usual(main).verdict == "ok"
    assert not fuzz(Program(main), schedules=10).found


@pytest.mark.parametrize("main", SPINS, ids=lambda main: main.__name__)
def test_without_turns_for_others_it_never_ends(main: Main, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution, "SPINS", 10**9)
    finding = simulate(Program(main), Canonical(), max_steps=20_000).finding
    assert finding is not None
    assert finding.property == "endless"


async def never_ends(_: Any) -> None:
    await asyncio.to_thread(asks, [])


async def never_ends_while_the_loop_waits(_: Any) -> None:
    thread = threading.Thread(target=asks, args=([],))
    thread.start()
    thread.join()


@pytest.mark.parametrize("main", [never_ends, never_ends_while_the_loop_waits], ids=lambda main: main.__name__)
def test_what_nobody_ends_is_found(main: Main) -> None:
    finding = simulate(Program(main), Canonical(), max_steps=20_000).finding
    assert finding is not None
    assert finding.property == "endless"


async def as_they_complete(_: Any) -> None:
    with ThreadPoolExecutor(1) as pool:
        futures = [pool.submit(time.sleep, 5)]
        with pytest.raises(TimeoutError):
            list(concurrent.futures.as_completed(futures, timeout=1))  # it waits again unless its time is over


async def until_a_moment(_: Any) -> None:
    end_s, never = time.time() + 2, threading.Event()

    def wait() -> int:
        for times in range(3):
            if time.time() > end_s:
                return times
            never.wait(max(0.0, end_s - time.time()))
        return 3

    assert await asyncio.to_thread(wait) == 1


@pytest.mark.parametrize("main", [as_they_complete, until_a_moment], ids=lambda main: main.__name__)
def test_who_waited_in_vain_finds_that_its_time_is_over(main: Main) -> None:
    assert usual(main).finding is None


def test_who_wakes_at_the_moment_itself_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_threads.RunThreads.wait, "__kwdefaults__", {"late_s": 0.0, "is_last": False})
    finding = usual(until_a_moment).finding
    assert finding is not None
    assert finding.property == "main"
