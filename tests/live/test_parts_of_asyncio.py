"""Everything that asyncio gives works in a run as it does outside: the usual run of each program ends as on the stock loop."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from sim import Program, emit
from sim.live import emitting
from sim.live.live_task import LiveTask
from sim.live.live_world import LiveWorld
from sim.live.loop import LiveLoop
from sim.strategy import Canonical
from sim.world.world import usual_at
from tests.live.small import Said, idle, installed_once, runs, said, usual

once = installed_once
Main = Callable[[Any], Awaitable[object]]
HAS_EAGER_TASKS = sys.version_info >= (3, 12)

HEARD: list[str] = []


def say(*words: object) -> None:
    """To the run, if there is one, and to the test."""
    text = " ".join(map(str, words))
    HEARD.append(text)
    emit(Said(text))


class Stock:
    """What stands for the world outside of a run."""

    def task(self, name: str, coroutine: Any) -> asyncio.Task[Any]:
        return asyncio.create_task(coroutine, name=name)


async def timeouts(_: Any) -> None:
    try:
        async with asyncio.timeout(0.01):
            await asyncio.sleep(1)
    except TimeoutError:
        say("timeout")
    try:
        await asyncio.wait_for(idle(), 0.01)
    except TimeoutError:
        say("wait_for")
    say(await asyncio.wait_for(answer(), 1))
    done, pending = await asyncio.wait([asyncio.create_task(idle(t)) for t in (0.01, 3)], timeout=0.02)
    say(len(done), len(pending))
    for task in pending:
        task.cancel()


async def answer() -> int:
    return 42


async def queues(world: Any) -> None:
    queue: asyncio.Queue[int | None] = asyncio.Queue(1)

    async def put() -> None:
        for n in range(3):
            await queue.put(n)
            say("put", n)
        await queue.put(None)

    async def take() -> None:
        while (n := await queue.get()) is not None:
            say("took", n)
            queue.task_done()

    await asyncio.gather(world.task("putter", put()), world.task("taker", take()))
    least: asyncio.PriorityQueue[int] = asyncio.PriorityQueue()
    for n in (3, 1, 2):
        least.put_nowait(n)
    say(*[least.get_nowait() for _ in range(3)])


async def locks(world: Any) -> None:
    lock, semaphore, condition, event = (
        asyncio.Lock(),
        asyncio.BoundedSemaphore(2),
        asyncio.Condition(),
        asyncio.Event(),
    )
    barrier, ready = asyncio.Barrier(3), [0]

    async def use(n: int) -> None:
        async with lock:
            say(n, "locked")
            await asyncio.sleep(0)
        async with semaphore:
            say(n, "in")
            await asyncio.sleep(0.01)
        async with condition:
            ready[0] += 1
            condition.notify_all()
            await condition.wait_for(lambda: ready[0] == 3)
        say(n, await barrier.wait() < 3)
        await event.wait()
        say(n, "out")

    tasks = [world.task("user", use(n)) for n in range(3)]
    await asyncio.sleep(1)
    event.set()
    await asyncio.wait(tasks)


async def groups(_: Any) -> None:
    async def fail() -> None:
        await asyncio.sleep(0)
        raise ValueError("one")

    async def wait() -> None:
        try:
            await asyncio.sleep(9)
        finally:
            say("ended")

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(fail())
            group.create_task(wait())
    except* ValueError as errors:
        say(len(errors.exceptions))
    say(*await asyncio.gather(answer(), fail(), return_exceptions=True))
    for next_one in asyncio.as_completed([later(0.02), later(0.01)]):
        say(await next_one)


async def later(seconds: float) -> float:
    await asyncio.sleep(seconds)
    return seconds


async def generators(_: Any) -> None:
    async def numbers() -> AsyncIterator[int]:
        try:
            for n in range(3):
                await asyncio.sleep(0)
                yield n
        finally:
            say("closed")

    async for n in numbers():
        say(n)
    half = numbers()
    say(await anext(half))
    await half.aclose()

    @asynccontextmanager
    async def within() -> AsyncIterator[str]:
        say("enters")
        yield "inside"
        say("leaves")

    async with within() as word:
        say(word)


NUMBER: contextvars.ContextVar[int] = contextvars.ContextVar("number", default=0)


async def contexts(world: Any) -> None:
    async def change() -> None:
        NUMBER.set(NUMBER.get() + 1)
        await asyncio.sleep(0)
        say(NUMBER.get())

    NUMBER.set(10)
    await asyncio.gather(world.task("one", change()), world.task("two", change()))
    say(NUMBER.get())
    context = contextvars.copy_context()
    context.run(NUMBER.set, 99)
    await asyncio.get_running_loop().create_task(change(), context=context)
    asyncio.get_running_loop().call_soon(lambda: say("callback", NUMBER.get()))
    await asyncio.sleep(0)


async def shields(world: Any) -> None:
    async def inner() -> None:
        await asyncio.sleep(0.2)
        say("inner is done")

    kept = asyncio.create_task(inner())

    async def outer() -> None:
        try:
            await asyncio.shield(kept)
        except asyncio.CancelledError:
            say("outer is cancelled")
            raise

    task = world.task("outer", outer())
    await asyncio.sleep(0.01)
    task.cancel("enough")
    (done,) = (await asyncio.wait([task]))[0]
    say(done.cancelled())
    await kept


async def callbacks(_: Any) -> None:
    loop = asyncio.get_running_loop()
    loop.call_soon(say, "soon")
    loop.call_later(0.01, functools.partial(say, "later"))
    loop.call_at(loop.time() + 0.02, say, "at")
    loop.call_later(0.005, say, "never").cancel()
    loop.call_soon_threadsafe(say, "threadsafe")
    future = loop.create_future()
    future.add_done_callback(lambda one: say("done", one.result()))
    loop.call_later(0.03, future.set_result, 7)
    say(await future)
    say(asyncio.current_task() in asyncio.all_tasks())


PROGRAMS: dict[str, Main] = {
    main.__name__: main for main in (timeouts, queues, locks, groups, generators, contexts, shields, callbacks)
}


def on_the_stock_loop(main: Main) -> list[str]:
    HEARD.clear()
    asyncio.run(main(Stock()))  # type: ignore[arg-type]
    return [*HEARD]


def in_a_run(main: Main, **parts: Any) -> list[str]:
    run = usual(main, **parts)
    assert run.finding is None, run.finding
    return [text.removeprefix("Said(what=").removesuffix(")").strip("'") for text in said(run)]


@pytest.mark.parametrize("name", PROGRAMS)
def test_it_works_as_on_the_stock_loop(name: str) -> None:
    stock = on_the_stock_loop(PROGRAMS[name])
    assert stock
    assert in_a_run(PROGRAMS[name]) == stock


@pytest.mark.parametrize("name", PROGRAMS)
def test_nothing_of_it_fails_at_random(name: str) -> None:
    assert {run.finding for run in runs(PROGRAMS[name], 10)} == {None}


def test_a_loop_that_runs_what_is_ready_in_another_order_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    turn = LiveLoop.turn

    def backwards(loop: LiveLoop) -> None:
        loop._ready.reverse()
        turn(loop)

    monkeypatch.setattr(LiveLoop, "turn", backwards)
    assert [name for name, main in PROGRAMS.items() if said(usual(main)) and in_a_run(main) != on_the_stock_loop(main)]


def with_eager_tasks(main: Main) -> Main:
    async def eagerly(world: Any) -> None:
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)  # type: ignore[attr-defined]
        await main(world)

    return eagerly


if HAS_EAGER_TASKS:

    @pytest.mark.parametrize("name", PROGRAMS)
    def test_it_works_with_eager_tasks_as_on_the_stock_loop(name: str) -> None:
        assert in_a_run(with_eager_tasks(PROGRAMS[name])) == on_the_stock_loop(with_eager_tasks(PROGRAMS[name]))


def test_tasks_and_futures_hash_by_their_numbers_so_that_sets_have_one_order() -> None:
    async def main(_: Any) -> None:
        tasks = [asyncio.create_task(idle(0)) for _ in range(40)]
        numbers = [task.number for task in {*tasks} if isinstance(task, LiveTask)]
        assert numbers == sorted(numbers)
        say(len(numbers))
        await asyncio.wait(tasks)

    assert in_a_run(main) == ["40"]


# What is left in the middle -----------------------------------------------------------------------------

CLOSED: list[str] = []


async def left(world: Any) -> None:
    async def numbers() -> AsyncIterator[int]:
        try:
            while True:
                await asyncio.sleep(1)
                yield 1
        finally:
            CLOSED.append("generator")

    async def client() -> None:
        try:
            async for _ in numbers():
                await asyncio.sleep(1)
        finally:
            CLOSED.append("client")
            await asyncio.sleep(1)

    async def stubborn() -> None:
        while True:
            try:
                await asyncio.sleep(1)
            except BaseException:
                CLOSED.append("stubborn")

    await asyncio.wait([world.task("client", client()), world.task("stubborn", stubborn())])


@pytest.mark.parametrize("steps", [0, 1, 2, 3, 5])
def test_a_run_that_is_left_in_the_middle_leaves_nothing_that_runs(steps: int) -> None:
    CLOSED.clear()
    world = LiveWorld(Program(left))
    with world.walking():
        at = Canonical().begin(world).place
        for _ in range(steps):
            choice = usual_at(world, at)
            assert choice is not None
            at = world.apply(at, choice)
    assert ("client" in CLOSED) is ("stubborn" in CLOSED) is (steps > 0)
    assert emitting.active is None
    with pytest.raises(RuntimeError):
        asyncio.get_running_loop()
