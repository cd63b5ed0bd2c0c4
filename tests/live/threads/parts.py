"""What Python offers to threads, each in a program that is right in every schedule."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import os
import queue
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sim import Program, emit
from tests.live.small import Said

PARTS: dict[str, Callable[[Any], Awaitable[None]]] = {}
POOL = ThreadPoolExecutor(2)
MADE_BEFORE = threading.Condition()


def part(main: Callable[[Any], Awaitable[None]]) -> Callable[[Any], Awaitable[None]]:
    PARTS[main.__name__] = main
    return main


def made(name: str) -> Program:
    """The program of this part."""
    return Program(PARTS[name])


def all_of_it(*functions: Callable[[], object]) -> Awaitable[list[Any]]:
    return asyncio.gather(*(asyncio.to_thread(function) for function in functions))


def nap(seconds: float = 1) -> float:
    time.sleep(seconds)
    return time.monotonic()


@part
async def to_thread(_: Any) -> None:
    times = await all_of_it(*[nap] * 3)
    assert min(times) >= 1
    emit(Said(str(times)))


@part
async def context(_: Any) -> None:
    var: contextvars.ContextVar[str] = contextvars.ContextVar("var")
    var.set("of the task")
    assert await asyncio.to_thread(var.get) == "of the task"


@part
async def locals_of_threads(_: Any) -> None:
    local = threading.local()

    def use(n: int) -> int:
        local.n = n
        nap()
        return int(local.n)

    assert await asyncio.gather(*(asyncio.to_thread(use, n) for n in range(3))) == [0, 1, 2]


@part
async def cores(_: Any) -> None:
    emit(Said(str(os.cpu_count())))


@part
async def lock(_: Any) -> None:
    mutex, inside = threading.Lock(), []

    def enter() -> None:
        with mutex:
            inside.append(1)
            nap(0.1)
            assert len(inside) == 1
            inside.pop()

    await all_of_it(*[enter] * 3)
    assert mutex.acquire(blocking=False)
    assert not mutex.acquire(timeout=0)
    assert not await asyncio.to_thread(mutex.acquire, True, 2)
    assert time.monotonic() >= 2


@part
async def rlock(_: Any) -> None:
    mutex = threading.RLock()

    def enter() -> None:
        with mutex, mutex:
            nap(0.1)
        assert mutex.acquire()
        mutex.release()

    await all_of_it(enter, enter)


@part
async def condition(_: Any) -> None:
    there, items = threading.Condition(), []

    def take() -> int:
        with there:
            while not items:
                there.wait()
            return int(items.pop())

    def put() -> None:
        nap()
        with there:
            items.extend([1, 2])
            there.notify_all()

    *taken, _none = await all_of_it(take, take, put)
    assert sorted(taken) == [1, 2]


@part
async def condition_made_before(_: Any) -> None:
    woken = []

    def wait() -> None:
        with MADE_BEFORE:
            while not woken:
                MADE_BEFORE.wait()

    def wake() -> None:
        MADE_BEFORE.acquire()
        nap()
        woken.append(1)
        MADE_BEFORE.notify_all()
        MADE_BEFORE.release()

    await all_of_it(wait, wait, wake)


@part
async def event(_: Any) -> None:
    told = threading.Event()
    assert not await asyncio.to_thread(told.wait, 2)
    timer = threading.Timer(3, told.set)
    timer.start()
    assert await asyncio.to_thread(told.wait)
    assert time.monotonic() >= 5


@part
async def semaphore(_: Any) -> None:
    two, inside = threading.BoundedSemaphore(2), []

    def enter() -> None:
        with two:
            inside.append(1)
            assert len(inside) <= 2
            nap(0.1)
            inside.pop()

    await all_of_it(*[enter] * 4)


@part
async def barrier(_: Any) -> None:
    meet, came = threading.Barrier(3), []

    def come() -> None:
        came.append(1)
        meet.wait()
        assert len(came) == 3

    await all_of_it(*[come] * 3)


@part
async def queues(_: Any) -> None:
    work: queue.Queue[int | None] = queue.Queue(1)
    done: queue.SimpleQueue[int] = queue.SimpleQueue()

    def worker() -> None:
        while (item := work.get()) is not None:
            done.put(item * 2)
            work.task_done()

    threads = [threading.Thread(target=worker) for _ in range(2)]
    for thread in threads:
        thread.start()
    for item in range(4):
        await asyncio.to_thread(work.put, item)
    await asyncio.to_thread(work.join)
    for _ in threads:
        await asyncio.to_thread(work.put, None)
    for thread in threads:
        await asyncio.to_thread(thread.join)
        assert not thread.is_alive()
    assert sorted(done.get() for _ in range(4)) == [0, 2, 4, 6]
    try:
        done.get(timeout=0)
    except queue.Empty:
        return
    raise AssertionError


@part
async def get_with_a_timeout(_: Any) -> None:
    for one in (queue.Queue(), queue.SimpleQueue()):
        try:
            await asyncio.to_thread(one.get, True, 3)
        except queue.Empty:
            continue
        raise AssertionError
    assert time.monotonic() >= 6


@part
async def executor(_: Any) -> None:
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(2) as pool:
        futures = [loop.run_in_executor(pool, nap, n) for n in range(4)]
        assert len(await asyncio.gather(*futures)) == 4
        assert list(pool.map(lambda n: n * n, range(3))) == [0, 1, 4]  # the loop itself waits here


@part
async def executor_made_before(_: Any) -> None:
    futures = [POOL.submit(nap, n) for n in range(3)]
    finished, rest = await asyncio.to_thread(concurrent.futures.wait, futures)
    assert (len(finished), len(rest)) == (3, 0)
    assert len(list(concurrent.futures.as_completed(futures))) == 3


@part
async def back_to_the_loop(_: Any) -> None:
    loop, got = asyncio.get_running_loop(), asyncio.Queue()

    async def double(n: int) -> int:
        await asyncio.sleep(1)
        return n * 2

    def work() -> None:
        loop.call_soon_threadsafe(got.put_nowait, 1)
        got_back = asyncio.run_coroutine_threadsafe(double(21), loop)
        assert got_back.result() == 42
        loop.call_soon_threadsafe(got.put_nowait, 2)

    thread = threading.Thread(target=work, name="worker")
    thread.start()
    assert [await got.get(), await got.get()] == [1, 2]


@part
async def shut_down(_: Any) -> None:
    await asyncio.to_thread(nap)
    await asyncio.get_running_loop().shutdown_default_executor()


@part
async def threads_of_threads(_: Any) -> None:
    names = []

    def grow(depth: int) -> None:
        names.append(threading.current_thread().name)
        if depth:
            thread = threading.Thread(target=grow, args=(depth - 1,))
            thread.start()
            thread.join()

    await asyncio.to_thread(grow, 2)
    assert names == ["asyncio_0", "Thread-1 (grow)", "Thread-2 (grow)"]


@part
async def daemons(_: Any) -> None:
    def beat() -> None:
        while True:
            nap()

    threading.Thread(target=beat, daemon=True).start()
    await asyncio.sleep(3)


@part
async def ends_after_main(_: Any) -> None:
    threading.Thread(target=nap, args=(5,)).start()


@part
async def takes_its_exceptions(_: Any) -> None:
    taken = []

    def fail() -> None:
        raise ValueError("lost")

    threading.excepthook = taken.append
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()  # the loop itself waits
    assert isinstance(taken[0].exc_value, ValueError)


@part
async def cancelled_while_it_works(_: Any) -> None:
    task = asyncio.ensure_future(asyncio.to_thread(nap, 2))
    await asyncio.sleep(1)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled() or task.result() >= 2  # where the loop is slow


class Subclass(threading.Thread):
    def __init__(self) -> None:
        super().__init__(name="my worker")
        self.told = threading.Event()

    def run(self) -> None:
        self.told.wait()


@part
async def subclass(_: Any) -> None:
    thread = Subclass()
    thread.start()
    assert thread.is_alive()
    thread.told.set()
    await asyncio.to_thread(thread.join)


@part
async def a_thread_is_told_later_what_to_run(_: Any) -> None:
    ran = []
    thread = threading.Thread()
    thread.run = lambda: ran.append(threading.current_thread())  # type: ignore[method-assign]
    thread.start()
    await asyncio.to_thread(thread.join)
    assert ran == [thread]
    try:
        thread.start()
    except RuntimeError:
        return
    raise AssertionError
