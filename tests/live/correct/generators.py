"""Pages of a listing as an asynchronous generator, which is closed also by who leaves it early."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from sim import Program


class Listing:
    def __init__(self) -> None:
        self.open = 0

    async def pages(self) -> AsyncIterator[int]:
        self.open += 1
        try:
            for number in range(5):
                await asyncio.sleep(0.01)
                yield number
        finally:
            self.open -= 1
            await asyncio.sleep(0)

    async def first(self, count: int) -> list[int]:
        found = []
        async with aclosing(self.pages()) as pages:
            async for page in pages:
                found.append(page)
                if len(found) == count:
                    break
        return found


def system() -> Program:
    async def main(world: Any) -> None:
        listing = Listing()
        readers = [world.task("reader", listing.first(count)) for count in (2, 9)]
        await asyncio.wait(readers)
        for task, count in zip(readers, (2, 5), strict=True):
            assert task.cancelled() or task.result() == list(range(count))
        assert listing.open == 0

    return Program(main, faults="cancel:2@reader")
