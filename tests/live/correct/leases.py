"""A lease that is renewed while its holder works, and given up by who could not renew it in time."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Any

from sim import Program

LEASE_S = 3.0


class Registry:
    def __init__(self) -> None:
        self.holder, self.until = "", 0.0

    def take(self, who: str) -> bool:
        now = time.monotonic()
        if self.holder in ("", who) or self.until <= now:
            self.holder, self.until = who, now + LEASE_S
            return True
        return False

    def give_back(self, who: str) -> None:
        if self.holder == who:
            self.holder = ""

    def holds(self, who: str) -> bool:
        return self.holder == who and time.monotonic() < self.until


async def renew(registry: Registry, who: str) -> None:
    while registry.take(who):
        await asyncio.sleep(1)


async def worker(registry: Registry, who: str, log: list[str]) -> None:
    while not registry.take(who):
        await asyncio.sleep(0.5)
    renewing = asyncio.create_task(renew(registry, who), name="renew")
    try:
        for _ in range(3):
            await asyncio.sleep(0.9)
            if registry.holds(who):
                log.append(who)
    finally:
        renewing.cancel()
        with suppress(asyncio.CancelledError):
            await renewing
        registry.give_back(who)


def system() -> Program:
    async def main(world: Any) -> None:
        registry, log = Registry(), list[str]()
        await asyncio.wait([world.task("worker", worker(registry, who, log)) for who in "ab"])
        assert registry.holder == ""

    return Program(main, faults="cancel:1@worker")
