"""Programs drawn at random, of what asyncio offers: the same for the same seed."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from random import Random
from typing import Any

from sim import Emission, Program, emit

ADDRESS = ("echo", 7)
DELAYS_S = (0, 0, 0.1, 0.2, 0.1 + 0.2, 0.3)
"""Many are equal, and two differ by less than the clock tells apart."""
FAULTS = ("none", "cancel:1@task", "cancel:2@task, cancel:1@main", "cancel:1@main", "stop:1@main")
AT_THE_NETWORK = ", split:1, reset:1, refuse:1, cut:1"
EAGER = hasattr(asyncio, "eager_task_factory")
DEPTH_MAX = 3

Step = Callable[["Common"], Awaitable[object]]


class Said(Emission):
    what: int


class Common:
    """What the tasks of a program share."""

    def __init__(self, world: Any) -> None:
        self.world = world
        self.lock, self.semaphore = asyncio.Lock(), asyncio.Semaphore(2)
        self.event, self.condition = asyncio.Event(), asyncio.Condition()
        self.queue: asyncio.Queue[int] = asyncio.Queue(1)
        self.barrier = asyncio.Barrier(2)


class Drawing:
    """Draws a program."""

    def __init__(self, seed: int) -> None:
        self.dice = Random(seed)
        self.said = 0
        self.serves = False

    def program(self) -> Program:
        bodies = [self.body(0) for _ in range(self.dice.randint(2, 4))]
        waits, eager = self.dice.randrange(3), EAGER and self.dice.random() < 0.2
        faults = self.dice.choice(FAULTS) + (AT_THE_NETWORK if self.serves else "")
        tells = faults.startswith("stop") and sys.platform != "win32" and self.dice.random() < 0.5

        async def main(world: Any) -> None:
            common = Common(world)
            if self.serves:
                world.serve(ADDRESS, echo)
            if eager:
                asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
            if tells:
                asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, common.event.set)
            tasks = [world.task("task", body(common)) for body in bodies]
            if waits:
                await asyncio.wait(tasks, timeout=10 if waits == 1 else None)

        return Program(main, faults=faults.removeprefix("none, "))

    def body(self, depth: int) -> Step:
        """A few steps, one after the other."""
        steps = [self.step(depth) for _ in range(self.dice.randint(1, 4 - depth))]

        async def body(common: Common) -> None:
            for step in steps:
                await step(common)

        return body

    def step(self, depth: int) -> Step:
        simple = (self.say, self.sleep, self.get, self.put, self.wake, self.meet, self.call, self.fail)
        nested = (
            self.locked, self.limited, self.notified, self.in_time, self.waited_for, self.gathered, self.shielded,
            self.first, self.grouped, self.caught, self.generated, self.cancelled, self.as_they_come,
        )  # fmt: skip
        made = self.dice.choice(simple if depth == DEPTH_MAX or self.dice.random() < 0.5 else nested)
        if depth == 0 and self.dice.random() < 0.1:
            made = self.asked
        return made(depth + 1)

    # --- simple steps -------------------------------------------------------------------------------

    def say(self, _: int) -> Step:
        self.said += 1
        what = self.said

        async def step(_: Common) -> None:
            emit(Said(what))

        return step

    def sleep(self, _: int) -> Step:
        delay_s = self.dice.choice(DELAYS_S)
        return lambda _: asyncio.sleep(delay_s)

    def get(self, _: int) -> Step:
        return lambda common: common.queue.get()

    def put(self, _: int) -> Step:
        return lambda common: common.queue.put(0)

    def wake(self, _: int) -> Step:
        def step(common: Common) -> Any:
            common.event.set()
            return asyncio.sleep(0)

        return self.dice.choice([step, lambda common: common.event.wait()])

    def meet(self, _: int) -> Step:
        async def step(common: Common) -> None:
            with suppress(TimeoutError, asyncio.BrokenBarrierError):
                async with asyncio.timeout(0.5):
                    await common.barrier.wait()

        return step

    def call(self, _: int) -> Step:
        delay_s = self.dice.choice(DELAYS_S)

        async def step(common: Common) -> None:
            loop = asyncio.get_running_loop()
            future = loop.create_future()
            loop.call_later(delay_s, lambda: future.done() or future.set_result(None))
            loop.call_soon(common.event.clear)
            await future

        return step

    def fail(self, _: int) -> Step:
        async def step(_: Common) -> None:
            await asyncio.sleep(0)
            raise ValueError

        return step if self.dice.random() < 0.3 else self.say(0)

    def asked(self, _: int) -> Step:
        self.serves = True
        size = self.dice.choice([1, 2, 3])

        async def step(_: Common) -> None:
            with suppress(OSError, asyncio.IncompleteReadError):
                reader, writer = await asyncio.open_connection(*ADDRESS)
                try:
                    writer.write(b"?" * size)
                    emit(Said(len(await reader.readexactly(size))))
                finally:
                    writer.close()

        return step

    # --- steps around others ------------------------------------------------------------------------

    def locked(self, depth: int) -> Step:
        body = self.body(depth)

        async def step(common: Common) -> None:
            async with common.lock:
                await body(common)

        return step

    def limited(self, depth: int) -> Step:
        body = self.body(depth)

        async def step(common: Common) -> None:
            async with common.semaphore:
                await body(common)

        return step

    def notified(self, depth: int) -> Step:
        everybody, waits, say = self.dice.random() < 0.3, self.dice.random() < 0.5, self.say(depth)

        async def step(common: Common) -> None:
            async with common.condition:
                if waits:
                    await common.condition.wait()
                elif everybody:
                    common.condition.notify_all()
                else:
                    common.condition.notify()
                await say(common)

        return step

    def in_time(self, depth: int) -> Step:
        body, delay_s, say = self.body(depth), self.dice.choice(DELAYS_S), self.say(depth)

        async def step(common: Common) -> None:
            try:
                async with asyncio.timeout(delay_s):
                    await body(common)
            except TimeoutError:
                await say(common)

        return step

    def waited_for(self, depth: int) -> Step:
        body, delay_s, say = self.body(depth), self.dice.choice(DELAYS_S), self.say(depth)

        async def step(common: Common) -> None:
            try:
                await asyncio.wait_for(body(common), delay_s)
            except TimeoutError:
                await say(common)

        return step

    def gathered(self, depth: int) -> Step:
        bodies, kept = [self.body(depth) for _ in range(2)], self.dice.random() < 0.5
        return lambda common: asyncio.gather(*(body(common) for body in bodies), return_exceptions=kept)

    def shielded(self, depth: int) -> Step:
        body = self.body(depth)
        return lambda common: asyncio.shield(asyncio.ensure_future(body(common)))  # type: ignore[arg-type]

    def first(self, depth: int) -> Step:
        """The first of some; who is left is cancelled in the order of a set."""
        bodies = [self.body(depth) for _ in range(3)]

        async def step(common: Common) -> None:
            tasks = {asyncio.create_task(body(common)) for body in bodies}  # type: ignore[arg-type]
            done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in pending:
                task.cancel()
            for task in done:
                await task

        return step

    def grouped(self, depth: int) -> Step:
        bodies, say = [self.body(depth) for _ in range(2)], self.say(depth)

        async def step(common: Common) -> None:
            try:
                async with asyncio.TaskGroup() as group:
                    for body in bodies:
                        group.create_task(body(common))  # type: ignore[arg-type]
            except* ValueError:
                await say(common)

        return step

    def caught(self, depth: int) -> Step:
        body, last, swallows = self.body(depth), self.body(DEPTH_MAX), self.dice.random() < 0.3

        async def step(common: Common) -> None:
            try:
                await body(common)
            except asyncio.CancelledError:
                await last(common)
                if not swallows:
                    raise

        return step

    def generated(self, depth: int) -> Step:
        body, left = self.body(depth), self.dice.random() < 0.3

        async def numbers(common: Common) -> AsyncIterator[int]:
            try:
                for number in range(2):
                    await body(common)
                    yield number
            finally:
                await asyncio.sleep(0)

        async def step(common: Common) -> None:
            async for _ in numbers(common):
                if left:
                    break

        return step

    def cancelled(self, depth: int) -> Step:
        body, delay_s = self.body(depth), self.dice.choice(DELAYS_S)

        async def step(common: Common) -> None:
            task = asyncio.create_task(body(common))  # type: ignore[arg-type]
            await asyncio.sleep(delay_s)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

        return step

    def as_they_come(self, depth: int) -> Step:
        bodies = [self.body(depth) for _ in range(2)]

        async def step(common: Common) -> None:
            for one in asyncio.as_completed([asyncio.ensure_future(body(common)) for body in bodies], timeout=0.2):
                with suppress(TimeoutError):
                    await one

        return step


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while said := await reader.read(2):
            writer.write(said)
            await writer.drain()
    writer.close()


def drawn(seed: int) -> Program:
    """The program of this seed."""
    return Drawing(seed).program()
