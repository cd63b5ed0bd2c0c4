"""The refund desk of `coordinator`, where a yes is for what was shown."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any

from coordinator import Desk, thread
from langgraph.types import Command


class FixedDesk(Desk):
    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.turns: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        """One run of a thread at a time: two would go on from the same checkpoint."""

    async def complain(self, customer: str, complaint: str) -> None:
        async with self.turns[customer]:
            await super().complain(customer, complaint)

    async def review(self, customer: str, ask: Callable[[int], Awaitable[bool]]) -> None:
        if shown := await self.pending(customer):
            approved = await ask(shown.value)
            async with self.turns[customer]:
                if shown == await self.pending(customer):
                    await self.graph.ainvoke(Command(resume=approved), thread(customer))
