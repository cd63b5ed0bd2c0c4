"""What a thread asks of the loop in the way of the loop's own code comes when the loop is awake, and no earlier."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest

from sim import Program, fuzz
from tests.live.small import Main, installed_once, usual  # noqa: F401


async def is_woken_by_its_own_timer(_: Any) -> None:
    queue: asyncio.Queue[int] = asyncio.Queue()

    def feed() -> None:
        time.sleep(1)
        queue.put_nowait(1)

    async def beat() -> None:
        for _ in range(3):
            await asyncio.sleep(5)

    beats = asyncio.create_task(beat())
    thread = threading.Thread(target=feed)
    thread.start()
    await queue.get()
    await beats


async def is_awake_while_it_waits_for_the_thread(_: Any) -> None:
    loop, told = asyncio.get_running_loop(), asyncio.Event()
    for call in (lambda: loop.call_soon(told.set), lambda: loop.call_later(1, told.set)):
        thread = threading.Thread(target=call)
        thread.start()
        thread.join()
        await told.wait()
        told.clear()


async def is_woken_by_another_call(_: Any) -> None:
    loop, told = asyncio.get_running_loop(), asyncio.Event()

    def work() -> None:
        time.sleep(1)
        loop.call_later(1, told.set)
        loop.call_soon_threadsafe(int)

    threading.Thread(target=work).start()
    await told.wait()


RIGHT: list[Main] = [is_awake_while_it_waits_for_the_thread, is_woken_by_another_call]


@pytest.mark.parametrize("order", ["fifo", "any"])
@pytest.mark.parametrize("main", RIGHT, ids=lambda main: main.__name__)
def test_a_loop_that_is_awake_hears_it(main: Main, order: str) -> None:
    assert usual(main, order=order).finding is None
    found = fuzz(Program(main, order=order), schedules=30).found
    assert not found, found[0].counterexample


@pytest.mark.parametrize("order", ["fifo", "any"])
def test_what_wakes_it_lets_it_hear_the_rest(order: str) -> None:
    assert usual(is_woken_by_its_own_timer, order=order).finding is None


async def sets_a_timer(_: Any) -> None:
    loop, told = asyncio.get_running_loop(), asyncio.Event()

    def work() -> None:
        time.sleep(1)
        loop.call_later(1, told.set)

    threading.Thread(target=work, name="worker").start()
    await told.wait()


@pytest.mark.parametrize("order", ["fifo", "any"])
def test_a_timer_that_a_thread_sets_never_comes_where_the_loop_sleeps_on(order: str) -> None:
    finding = usual(sets_a_timer, order=order).finding
    assert finding is not None
    assert finding.property == "deadlock"
    assert "a thread has used the loop while it sleeps" in finding.message
