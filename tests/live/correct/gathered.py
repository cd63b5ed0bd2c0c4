"""Several answers at once, of which some fail: each is looked at, and the failures are counted."""

from __future__ import annotations

import asyncio
from typing import Any

from sim import Program


async def answer(number: int) -> int:
    await asyncio.sleep(0.01 * number)
    if number % 2:
        raise ValueError(number)
    return number


def system() -> Program:
    async def main(world: Any) -> None:
        tasks = [world.task("answer", answer(number)) for number in range(5)]
        found = await asyncio.gather(*tasks, return_exceptions=True)
        for number, one in enumerate(found):
            right = isinstance(one, ValueError) if number % 2 else one == number
            assert right or isinstance(one, asyncio.CancelledError)
        quick, slow = world.task("answer", answer(0)), world.task("answer", answer(4))
        done, waiting = await asyncio.wait({quick, slow}, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        assert done

    return Program(main, faults="cancel:2@answer")
