"""What the programs say of themselves, and who hears it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from sim import Emission, Monitor


class Answered(Emission):
    key: str
    answer: str


class OwnAnswer(Monitor):
    """Everybody is given the value of the key that he asked for."""

    states = ("on",)
    transitions = ({"trigger": Answered, "source": "on", "dest": None, "after": "compare"},)

    def compare(self, said: Answered) -> None:
        if said.answer != said.key:
            self.violate(f"who asked for {said.key} was told {said.answer}")


async def wait(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Until all have ended, however they do."""
    await asyncio.wait(list(tasks))
