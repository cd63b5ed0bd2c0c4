"""Futures that are completed by callbacks, in the context of who asked, and timers that are taken back."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from typing import Any

from sim import Program

WHO: ContextVar[str] = ContextVar("WHO", default="nobody")


class Calls:
    def __init__(self) -> None:
        self.waiting: dict[int, tuple[asyncio.Future[str], asyncio.TimerHandle]] = {}

    def start(self, number: int) -> asyncio.Future[str]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[str] = loop.create_future()
        self.waiting[number] = future, loop.call_later(1, self.expire, number)
        loop.call_later(0.9, self.reply, number)
        return future

    def expire(self, number: int) -> None:
        future, _ = self.waiting.pop(number)
        if not future.done():
            future.set_result("late")

    def reply(self, number: int) -> None:
        if number in self.waiting:
            future, timer = self.waiting.pop(number)
            timer.cancel()
            if not future.done():
                future.set_result(WHO.get())


async def client(calls: Calls, number: int) -> None:
    WHO.set(f"client {number}")
    assert await calls.start(number) in (f"client {number}", "late")


def system() -> Program:
    async def main(world: Any) -> None:
        calls = Calls()
        await asyncio.wait([world.task("client", client(calls, number)) for number in range(3)])
        await asyncio.sleep(2)
        assert calls.waiting == {}

    return Program(main, faults="cancel:2@client")
