"""Workers at a queue that are replaced when they die; what a dead one had in hand goes back."""

from __future__ import annotations

import asyncio
from typing import Any

from sim import Program

JOBS = 4


async def work(jobs: asyncio.Queue[int], done: list[int]) -> None:
    while True:
        job = await jobs.get()
        try:
            await asyncio.sleep(0.01)
            done.append(job)
        except asyncio.CancelledError:
            jobs.put_nowait(job)
            raise
        finally:
            jobs.task_done()


async def supervise(world: Any, jobs: asyncio.Queue[int], done: list[int]) -> None:
    workers = {world.task("worker", work(jobs, done)) for _ in range(2)}
    try:
        while True:
            _, workers = await asyncio.wait(workers, return_when=asyncio.FIRST_COMPLETED)
            workers.add(world.task("worker", work(jobs, done)))
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.wait(workers)


def system() -> Program:
    async def main(world: Any) -> None:
        jobs, done = asyncio.Queue[int](), list[int]()
        for job in range(JOBS):
            jobs.put_nowait(job)
        supervisor = world.task("supervisor", supervise(world, jobs, done))
        await jobs.join()
        supervisor.cancel()
        await asyncio.wait([supervisor])
        assert sorted(done) == list(range(JOBS))

    return Program(main, faults="cancel:2@worker")
