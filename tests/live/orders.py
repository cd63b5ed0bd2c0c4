"""Programs whose outcome is the order of what they do: for what may not change which orders there are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any

from sim import Emission, Program, emit
from sim.checker.bounded import BoundedWalk, Departure
from sim.checker.bounded_result import BoundedResult
from sim.checker.plain import Limits
from sim.run.simulation import Walk
from sim.world.world import AnyWorld


class Ended(Emission):
    """All that was done, in its order."""

    log: str


class Collecting(BoundedWalk):
    """Notes the outcome of every schedule: what was emitted last, and what is wrong; and goes on after a violation."""

    def __init__(self, world: AnyWorld, deviations: int, *, merge: bool) -> None:
        super().__init__(world, deviations, Limits(), merge=merge)
        self.outcomes: dict[str, None] = {}

    def _follow(self, walk: Walk, schedule: Departure) -> None:
        same = self.result.same
        super()._follow(walk, schedule)
        if self.result.same == same:
            last = walk.trace.emissions[-1:]
            self.outcomes[f"{last} {walk.finding}"] = None
        walk.finding = None


def outcomes(world: AnyWorld, deviations: int, *, merge: bool) -> tuple[list[str], BoundedResult]:
    """What comes of a program, in any order."""
    walk = Collecting(world, deviations, merge=merge)
    result = walk.run()
    return sorted(walk.outcomes), result


Do = Callable[["Shared", str], Coroutine[Any, Any, None]]


class Shared:
    """What the tasks of one run share."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.lock = asyncio.Lock()
        self.queue: asyncio.Queue[str] = asyncio.Queue()
        self.event = asyncio.Event()


async def say(shared: Shared, name: str) -> None:
    shared.log.append(name)


async def give_way(shared: Shared, name: str) -> None:
    await asyncio.sleep(0)
    shared.log.append(f"{name}.")


async def pause(shared: Shared, name: str) -> None:
    await asyncio.sleep(0.01)
    shared.log.append(f"{name}~")


async def nap(shared: Shared, name: str) -> None:
    await asyncio.sleep(0.02)
    shared.log.append(f"{name}≈")


async def lock(shared: Shared, name: str) -> None:
    async with shared.lock:
        await asyncio.sleep(0)
        shared.log.append(f"{name}!")


async def put(shared: Shared, name: str) -> None:
    shared.queue.put_nowait(name)


async def get(shared: Shared, name: str) -> None:
    async with asyncio.timeout(0.03):
        shared.log.append(f"{name}<{await shared.queue.get()}")


async def sign(shared: Shared, name: str) -> None:
    shared.event.set()
    shared.log.append(f"{name}^")


async def wait(shared: Shared, name: str) -> None:
    async with asyncio.timeout(0.015):
        await shared.event.wait()
    shared.log.append(f"{name}v")


DOINGS: tuple[Do, ...] = (say, give_way, pause, nap, lock, put, get, sign, wait)


def program(seed: int, *, tasks: int = 2, doings: int = 2, **parts: Any) -> Program:
    """A few tasks that do a few things each, drawn by `seed`."""
    drawn = Random(seed)
    plans = [[drawn.choice(DOINGS) for _ in range(doings)] for _ in range(tasks)]

    async def task(shared: Shared, name: str, plan: list[Do]) -> None:
        for do in plan:
            try:
                await do(shared, name)
            except asyncio.CancelledError:
                shared.log.append(f"{name}x")
            except TimeoutError:
                shared.log.append(f"{name}t")

    async def main(world: Any) -> None:
        shared = Shared()
        made = [world.task(f"t{n}", task(shared, f"t{n}", plan)) for n, plan in enumerate(plans)]
        await asyncio.wait(made)
        emit(Ended(log=" ".join(shared.log)))

    return Program(main, **parts)


def networked(seed: int, *, clients: int = 2, says: int = 2, **parts: Any) -> Program:
    """Clients that talk to one server, and say what it answers; datagrams fly beside it. All drawn by `seed`."""
    drawn = Random(seed)
    plans = [[drawn.choice(("ask", "tell", "nap", "fly")) for _ in range(says)] for _ in range(clients)]

    async def main(world: Any) -> None:
        log: list[str] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while line := await reader.readline():
                word = line.decode().strip()
                log.append(f"<{word}")
                if word.endswith("?"):
                    writer.write(f"{word}{len(log)}\n".encode())
            writer.close()

        class Hears(asyncio.DatagramProtocol):
            def datagram_received(self, data: bytes, addr: Any) -> None:
                log.append(f"*{data.decode()}")

        loop = asyncio.get_running_loop()
        heard, _ = await loop.create_datagram_endpoint(Hears, local_addr=("127.0.0.1", 9000))

        async def client(name: str, plan: list[str]) -> None:
            reader, writer = await asyncio.open_connection("box", 80)
            sender, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=("127.0.0.1", 9000))
            for do in plan:
                try:
                    if do == "ask":
                        writer.write(f"{name}?\n".encode())
                        log.append((await reader.readline()).decode().strip())
                    elif do == "tell":
                        writer.write(f"{name}.\n".encode())
                    elif do == "nap":
                        await asyncio.sleep(0.01)
                    else:
                        sender.sendto(name.encode())
                except asyncio.CancelledError:
                    log.append(f"{name}x")
                except OSError as error:
                    log.append(f"{name}!{type(error).__name__}")
            writer.close()
            sender.close()

        world.serve(("box", 80), serve)
        await asyncio.wait([world.task(f"c{n}", client(f"c{n}", plan)) for n, plan in enumerate(plans)])
        heard.close()
        emit(Ended(log=" ".join(log)))

    return Program(main, **parts)
