"""A small program, in which nothing goes wrong."""

from __future__ import annotations

import asyncio

from sim import Program


async def main(world: object) -> None:
    """One task waits for another, which a fault may cancel."""
    del world
    box: list[int] = []

    async def fill() -> None:
        for number in range(3):
            await asyncio.sleep(0.01)
            box.append(number)

    task = asyncio.create_task(fill(), name="filler")
    try:
        await task
    except asyncio.CancelledError:
        box.clear()


def calm() -> Program:
    return Program(main, faults="cancel:1@main/filler")


system = calm
