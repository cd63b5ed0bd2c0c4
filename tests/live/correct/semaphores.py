"""Ten pages, two at a time; whoever is cancelled leaves his place to the next."""

from __future__ import annotations

import asyncio
from typing import Any

from sim import Program, always


class Fetcher:
    def __init__(self) -> None:
        self.places = asyncio.BoundedSemaphore(2)
        self.fetching = 0

    async def fetch(self, number: int) -> int:
        async with self.places:
            self.fetching += 1
            try:
                await asyncio.sleep(0.01 * (1 + number % 3))
                return number
            finally:
                self.fetching -= 1


def system() -> Program:
    async def main(world: Any) -> None:
        fetcher = Fetcher()
        world.watch("fetcher", fetcher)
        pages = [world.task("fetch", fetcher.fetch(number)) for number in range(6)]
        found = await asyncio.gather(*pages, return_exceptions=True)
        assert [n for n in found if isinstance(n, int)] == [n for n, page in enumerate(pages) if not page.cancelled()]
        assert fetcher.fetching == 0
        assert not fetcher.places.locked()

    return Program(
        main,
        properties=[always("two at a time", lambda fetcher: fetcher.fetching <= 2)],
        faults="cancel:2@fetch",
    )
