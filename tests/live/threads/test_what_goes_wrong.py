"""What is wrong with threads is found, and said so that one knows which and where."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from typing import Any

import pytest

from sim import Program, check, fuzz
from tests.live.small import Main, installed_once, replayed, usual  # noqa: F401
from tests.live.threads import counter


async def waits_for_each_other(_: Any) -> None:
    one, other = threading.Lock(), threading.Lock()

    def take(first: Any, second: Any) -> None:
        with first:
            time.sleep(0.1)
            with second:
                pass

    await asyncio.gather(asyncio.to_thread(take, one, other), asyncio.to_thread(take, other, one))


async def never_closes_its_worker(_: Any) -> None:
    told = threading.Event()
    threading.Thread(target=told.wait, name="writer").start()


async def never_ends_its_worker(_: Any) -> None:
    def poll() -> None:
        while True:
            time.sleep(1)

    threading.Thread(target=poll, name="poller").start()


async def fails_in_a_thread(_: Any) -> None:
    def fail() -> None:
        raise ValueError("no such agent")

    threading.Thread(target=fail, name="writer").start()
    await asyncio.sleep(1)


async def is_interrupted_in_a_thread(_: Any) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    threading.Thread(target=interrupt, name="writer").start()
    await asyncio.sleep(1)


async def leaves_work_in_a_pool(_: Any) -> None:
    pool, never = ThreadPoolExecutor(1), threading.Event()
    await asyncio.get_running_loop().run_in_executor(pool, int)
    pool.submit(never.wait)


async def puts_from_a_thread(_: Any) -> None:
    queue: asyncio.Queue[int] = asyncio.Queue()

    def feed() -> None:
        time.sleep(1)
        queue.put_nowait(1)

    threading.Thread(target=feed, name="feeder").start()
    await queue.get()


async def waits_for_a_thread_that_waits_for_the_loop(_: Any) -> None:
    loop = asyncio.get_running_loop()
    thread = threading.Thread(
        target=lambda: asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop).result(), name="caller"
    )
    thread.start()
    thread.join()


WRONG: dict[Main, tuple[str, str]] = {
    waits_for_each_other: ("deadlock", "the thread asyncio waits in take (test_what_goes_wrong.py:"),
    never_closes_its_worker: ("outlives", "the thread writer waits in Event.wait (threading.py:"),
    never_ends_its_worker: ("outlives", "the thread poller waits in poll (test_what_goes_wrong.py:"),
    fails_in_a_thread: (
        "exception",
        "the thread writer fails with ValueError: no such agent (test_what_goes_wrong.py:",
    ),
    is_interrupted_in_a_thread: (
        "exception",
        "the thread writer fails with KeyboardInterrupt (test_what_goes_wrong.py:",
    ),
    leaves_work_in_a_pool: ("outlives", "the thread ThreadPoolExecutor waits in Event.wait (threading.py:"),
    puts_from_a_thread: (
        "deadlock",
        "a thread has used the loop while it sleeps, which does not wake it: use loop.call",
    ),
    waits_for_a_thread_that_waits_for_the_loop: ("deadlock", "the loop itself waits in waits_for_a_thread_that_waits"),
}


@pytest.mark.parametrize("main", WRONG, ids=lambda main: main.__name__)
def test_it_is_found_and_said_where(main: Main) -> None:
    named, words = WRONG[main]
    finding = usual(main).finding
    assert finding is not None
    assert finding.property == named
    assert words in finding.message


async def adds_twice(world: Any) -> None:
    one = counter.Counter()
    await asyncio.gather(asyncio.to_thread(one.add), asyncio.to_thread(one.add))
    count = one.count
    assert count == 2


async def adds_twice_at_points(world: Any) -> None:
    world.preempt(counter)
    await adds_twice(world)


async def adds_twice_with_a_lock(world: Any) -> None:
    world.preempt(counter)
    one = counter.Careful()
    await asyncio.gather(asyncio.to_thread(one.add), asyncio.to_thread(one.add))
    count = one.count
    assert count == 2


def test_between_two_lines_of_a_module_that_is_named_another_thread_may_come() -> None:
    found = fuzz(Program(adds_twice_at_points), schedules=100).found
    assert found[0].counterexample.finding.message.startswith("it fails with AssertionError")
    assert len(found[0].counterexample.schedule) <= 2
    assert all(line.startswith("work asyncio") for line in found[0].counterexample.schedule)
    again = replayed(adds_twice_at_points, [str(line) for line in found[0].counterexample.schedule])
    assert again.finding is not None


@pytest.mark.parametrize("main", [adds_twice, adds_twice_with_a_lock], ids=lambda main: main.__name__)
def test_without_points_or_with_a_lock_nothing_comes_between(main: Main) -> None:
    assert not fuzz(Program(main), schedules=100).found
    assert check(Program(main), deviations=2).finding is None


async def shares_a_pool(world: Any, naps: tuple[float, ...]) -> None:
    """A server that takes so long for each of its requests, in a thread of a pool that others use as well."""
    pool, loop, rest = ThreadPoolExecutor(1), asyncio.get_running_loop(), iter(naps)

    async def serve(reader: Any, writer: Any) -> None:
        await reader.readline()
        await loop.run_in_executor(pool, time.sleep, next(rest, 1))
        writer.write(b"done\n")
        writer.close()

    async def ask() -> None:
        for _ in range(3):
            try:
                reader, writer = await asyncio.open_connection("api", 80)
                with closing(writer):
                    writer.write(b"do\n")
                    if await reader.readline():
                        return
            except ConnectionError:
                pass
            await asyncio.sleep(5)

    world.serve("api:80", serve)
    for _ in range(2):
        await world.task("client", ask())
        await loop.run_in_executor(pool, int)
    await asyncio.to_thread(pool.shutdown)


@pytest.mark.parametrize("naps", [(1, 1), (100, 1)], ids=["idle", "at work"])
def test_a_crash_leaves_the_pool_to_others(naps: tuple[float, ...]) -> None:
    program = Program(partial(shares_a_pool, naps=naps), faults="crash:1@api")
    found = fuzz(program, schedules=150).found
    assert not found, found[0].counterexample
    assert check(program, deviations=1).finding is None
