"""Resources on a stack: each is given back in turn, though giving back takes time and one of them fails at it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from sim import Program


class Building:
    def __init__(self) -> None:
        self.open: list[str] = []

    @asynccontextmanager
    async def room(self, name: str) -> AsyncIterator[str]:
        await asyncio.sleep(0)
        self.open.append(name)
        try:
            yield name
        finally:
            self.open.remove(name)
            await asyncio.sleep(0.01)
            if name == "cellar":
                raise ConnectionError("it was closed already")

    async def visit(self) -> None:
        try:
            async with AsyncExitStack() as stack:
                for name in ("hall", "cellar", "attic"):
                    await stack.enter_async_context(self.room(name))
                await asyncio.sleep(0.01)
        except ConnectionError:
            pass


def system() -> Program:
    async def main(world: Any) -> None:
        buildings = [Building() for _ in range(2)]
        await asyncio.wait([world.task("visitor", building.visit()) for building in buildings])
        assert [building.open for building in buildings] == [[], []]

    return Program(main, faults="cancel:3@visitor")
