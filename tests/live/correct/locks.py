"""Two locks, always taken in one order, by clients that lose patience."""

from __future__ import annotations

import asyncio
from typing import Any

from sim import Program


class Accounts:
    def __init__(self) -> None:
        self.locks = {name: asyncio.Lock() for name in "ab"}
        self.money = {"a": 3, "b": 3}

    async def move(self, source: str, target: str) -> None:
        first, second = sorted((source, target))
        async with self.locks[first], self.locks[second]:
            before = self.money[source], self.money[target]
            try:
                self.money[source] -= 1
                await asyncio.sleep(0.01)
                self.money[target] += 1
            except BaseException:
                self.money[source], self.money[target] = before
                raise


async def client(accounts: Accounts, source: str, target: str) -> None:
    for _ in range(2):
        try:
            async with asyncio.timeout(0.025):
                await accounts.move(source, target)
        except TimeoutError:
            await asyncio.sleep(0.01)


def system() -> Program:
    async def main(world: Any) -> None:
        accounts = Accounts()
        moves = (("a", "b"), ("b", "a"), ("a", "b"))
        await asyncio.wait([world.task("client", client(accounts, *ends)) for ends in moves])
        assert sum(accounts.money.values()) == 6
        assert not any(lock.locked() for lock in accounts.locks.values())

    return Program(main, faults="cancel:2@client")
