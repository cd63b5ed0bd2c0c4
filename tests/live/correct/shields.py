"""A commit that is not torn: who is cancelled meanwhile waits for it, and then ends as cancelled."""

from __future__ import annotations

import asyncio
from typing import Any

from sim import Program


class Ledger:
    def __init__(self) -> None:
        self.begun = self.ended = 0

    async def write(self) -> None:
        self.begun += 1
        await asyncio.sleep(0.01)
        self.ended += 1

    async def commit(self) -> None:
        writing = asyncio.create_task(self.write(), name="write")
        cancelled = None
        while not writing.done():
            try:
                await asyncio.shield(writing)
            except asyncio.CancelledError as error:
                cancelled = error
        if cancelled is not None:
            raise cancelled


def system() -> Program:
    async def main(world: Any) -> None:
        ledger = Ledger()
        await asyncio.wait([world.task("client", ledger.commit()) for _ in range(3)])
        assert ledger.begun == ledger.ended

    return Program(main, faults="cancel:3@client")
