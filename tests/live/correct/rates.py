"""A limiter of rates: two at once, one more each second; nobody overtakes, and who is cancelled takes nothing."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from sim import Program

EACH_S = 1.0
AT_ONCE = 2


class Limiter:
    def __init__(self) -> None:
        self.turn = asyncio.Lock()
        self.tokens, self.at = float(AT_ONCE), time.monotonic()

    async def take(self) -> None:
        async with self.turn:
            while True:
                now = time.monotonic()
                self.tokens, self.at = min(AT_ONCE, self.tokens + (now - self.at) / EACH_S), now
                if self.tokens >= 1:
                    self.tokens -= 1
                    return
                await asyncio.sleep((1 - self.tokens) * EACH_S + 0.001)


def system() -> Program:
    async def main(world: Any) -> None:
        limiter, taken = Limiter(), list[float]()

        async def client() -> None:
            await limiter.take()
            taken.append(time.monotonic())

        await asyncio.wait([world.task("client", client()) for _ in range(5)])
        assert taken == sorted(taken)
        for first, third in zip(taken, taken[2:], strict=False):
            assert third - first >= EACH_S - 0.01

    return Program(main, faults="cancel:2@client")
