"""The programs that are run: plain asyncio, as a list of workers over a state.

They count their own steps: a step is that a task goes on behind an `await`. So it is the same for every tool, whatever it
calls a step itself. They also note who went on in which order, from which follows whether a tool chooses anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from typing import Any

Worker = Callable[[Any], Coroutine[Any, Any, None]]

ROUNDS, SECTIONS = 20, 4
PAIRS, HOLDERS = 2, 4


class Count:
    """What ran since it was last cleared: steps, and schedules that came to their end."""

    steps: int
    ended: int
    orders: set[tuple[int, ...]]

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.steps = self.ended = 0
        self.orders = set()

    def schedule(self, order: list[int]) -> None:
        """A schedule has come to its end."""
        self.ended += 1
        self.orders.add(tuple(order))


COUNT = Count()


class State:
    """What the workers of one schedule share; made new for each."""

    def __init__(self, workers: int) -> None:
        self.order: list[int] = []
        self.left = workers

    async def stepped(self, who: int, awaited: Awaitable[Any]) -> Any:
        result = await awaited
        COUNT.steps += 1
        self.order.append(who)
        return result

    def ended(self) -> None:
        self.left -= 1
        if not self.left:
            COUNT.schedule(self.order)


class Queues(State):
    """Two queues for each pair."""

    def __init__(self) -> None:
        super().__init__(2 * PAIRS)
        self.there: list[asyncio.Queue[int]] = [asyncio.Queue() for _ in range(PAIRS)]
        self.back: list[asyncio.Queue[int]] = [asyncio.Queue() for _ in range(PAIRS)]


async def ping(pair: int, state: Queues) -> None:
    for number in range(ROUNDS):
        state.there[pair].put_nowait(number)
        await state.stepped(2 * pair, state.back[pair].get())
    state.ended()


async def pong(pair: int, state: Queues) -> None:
    for _ in range(ROUNDS):
        number = await state.stepped(2 * pair + 1, state.there[pair].get())
        state.back[pair].put_nowait(number)
    state.ended()


class Locked(State):
    """A lock, and what it guards."""

    def __init__(self) -> None:
        super().__init__(HOLDERS)
        self.lock = asyncio.Lock()
        self.inside = 0


async def hold(who: int, state: Locked) -> None:
    for _ in range(SECTIONS):
        async with state.lock:
            state.inside += 1
            await state.stepped(who, asyncio.sleep(0))
            assert state.inside == 1
            state.inside -= 1
        await state.stepped(who, asyncio.sleep(0))
    state.ended()


PROGRAMS: dict[str, tuple[Callable[[], Any], Sequence[Worker]]] = {
    "ping-pong": (Queues, [partial(one, pair) for pair in range(PAIRS) for one in (ping, pong)]),
    "lock": (Locked, [partial(hold, who) for who in range(HOLDERS)]),
}
"""By name: how the state is made, and the workers."""


def main_of(program: str) -> Callable[..., Coroutine[Any, Any, None]]:
    """The program as one coroutine function, for tools that take one. What they give it is not used."""
    setup, workers = PROGRAMS[program]

    async def main(*_: object) -> None:
        state = setup()
        await asyncio.gather(*(worker(state) for worker in workers))

    return main
