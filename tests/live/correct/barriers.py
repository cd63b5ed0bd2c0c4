"""Parties that wait for each other, and are told when one of them does not come."""

from __future__ import annotations

import asyncio
from typing import Any

from sim import Program


async def party(barrier: asyncio.Barrier, met: list[int]) -> None:
    try:
        await asyncio.sleep(0.01)
        met.append(await barrier.wait())
    except asyncio.BrokenBarrierError:
        return
    except BaseException:
        await barrier.abort()
        raise


def system() -> Program:
    async def main(world: Any) -> None:
        barrier, met = asyncio.Barrier(3), list[int]()
        parties = [world.task("party", party(barrier, met)) for _ in range(3)]
        for task in parties:
            task.add_done_callback(lambda task: task.cancelled() and asyncio.create_task(barrier.abort()))
        await asyncio.wait(parties)
        assert len(met) == 3 or any(task.cancelled() for task in parties)
        await asyncio.sleep(0)

    return Program(main, faults="cancel:1@party")
