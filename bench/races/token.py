"""One token, two holders: a waiter that is woken takes for granted that it is the next to run.

In the order of the standard library it is: no schedule there shows anything. A loop with another order, or eager tasks,
let the one who gave the token back overtake it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, Literal

from sim import Program, always


class Bucket:
    """Has one token."""

    def __init__(self) -> None:
        self.tokens = 1
        self.waiting: deque[asyncio.Future[None]] = deque()

    async def take(self) -> None:
        if not self.tokens:
            await self.turn()
        self.tokens -= 1

    async def turn(self) -> None:
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.append(waiter)
        await waiter

    def give_back(self) -> None:
        self.tokens += 1
        if self.waiting:
            self.waiting.popleft().set_result(None)


class DoubtingBucket(Bucket):
    """Who was woken looks again."""

    async def take(self) -> None:
        while not self.tokens:
            await self.turn()
        self.tokens -= 1


async def use(bucket: Bucket) -> None:
    """Twice, and gives way in between."""
    for _ in range(2):
        await bucket.take()
        await asyncio.sleep(0)
        bucket.give_back()
        await asyncio.sleep(0)


def system(fixed: bool = False, order: Literal["fifo", "any"] = "any") -> Program:
    async def main(world: Any) -> None:
        bucket = DoubtingBucket() if fixed else Bucket()
        world.watch("tokens", lambda: bucket.tokens)
        await asyncio.wait([world.task("client", use(bucket)) for _ in range(2)])

    return Program(main, properties=[always("no token is granted twice", lambda tokens: tokens >= 0)], order=order)
