"""Lost slot: a waiter is cancelled when a slot was just given to it, and the slot is never given back."""

from __future__ import annotations

from typing import Any

import anyio

from bench.public_races.answers import wait
from bench.public_races.anyio_lock import use
from sim import Program


def system() -> Program:
    async def main(world: Any) -> None:
        semaphore = anyio.Semaphore(1)
        await wait(world.task("client", use(semaphore)) for _ in range(3))

    return Program(main, faults="cancel:1@client")
