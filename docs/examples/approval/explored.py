"""The refund desk under simulation: a customer who writes twice, and a clerk who looks every half a minute."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import openai
from coordinator import Desk
from fixed import FixedDesk

from sim import Program

MOST = 50
"""Euros that the clerk says yes to."""


async def think(euros: int) -> bool:
    await asyncio.sleep(20)
    return euros <= MOST


async def look(desk: Desk) -> None:
    await asyncio.sleep(3)
    for _ in range(2):
        await desk.review("ann", think)
        await asyncio.sleep(30)


async def complain(desk: Desk) -> None:
    with suppress(openai.APIError):  # who gets no answer gets no refund either
        await desk.complain("ann", "One cup of the set is broken.")
        await asyncio.sleep(40)
        await desk.complain("ann", "Now all of the set is broken.")


def system(fixed: bool = False) -> Program:
    async def main(world: Any) -> None:
        world.serve_openai("gateway:4000", answers={"One cup": "20", "all of": "200"})
        paid: list[int] = []

        async def pay(euros: int) -> None:
            paid.append(euros)

        async with openai.AsyncOpenAI(base_url="http://gateway:4000/v1", api_key="none", max_retries=0) as model:
            desk = FixedDesk(model, pay) if fixed else Desk(model, pay)
            await asyncio.gather(world.task("customer", complain(desk)), world.task("clerk", look(desk)))
        assert max(paid, default=0) <= MOST, f"{max(paid)} euros are paid, and nobody has said yes to more than {MOST}"

    return Program(main)
