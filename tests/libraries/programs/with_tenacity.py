"""tenacity: agents ask again, later and later, where they are refused."""

from __future__ import annotations

import asyncio
from typing import Any

import tenacity

from sim import Program
from tests.libraries.coordinator import coordinate, program


class Busy(Exception):
    """Another is being served."""


class Squares:
    def __init__(self) -> None:
        self.busy = False

    async def square(self, question: int) -> int:
        if self.busy:
            raise Busy
        self.busy = True
        try:
            await asyncio.sleep(1)
        finally:
            self.busy = False
        return question**2


async def ask(squares: Squares, question: int) -> int | None:
    waits = tenacity.wait_exponential_jitter(multiplier=0.5, max=4)
    retrying = tenacity.AsyncRetrying(
        retry=tenacity.retry_if_exception_type(Busy), wait=waits, stop=tenacity.stop_after_delay(60)
    )
    try:
        async for attempt in retrying:
            with attempt:
                return await squares.square(question)
    except tenacity.RetryError:
        return None
    return None


def system(planted: bool = False) -> Program:
    async def main(world: Any) -> None:
        squares = Squares()
        await coordinate(world, lambda question: ask(squares, question), planted=planted)

    return program(main)
