"""Who is told what a host does, while it does it: for instance to trace it. It changes nothing of it."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol

from sim.host.adapter import Adapter, Reply
from sim.host.journal import Journal
from sim.host.journal_records import Entry, Mail


class Observer(Protocol):
    """Told of each input once it is on the disk, and of each call that costs something. What it raises ends the telling,
    and nothing else."""

    def kept(self, journal: Journal, entry: Entry) -> None:
        """An input was taken, and is kept."""

    async def asking(self, journal: Journal, mail: Mail, adapter: Adapter, answer: Awaitable[Reply]) -> Reply:
        """An adapter is asked about a message: await the answer, and hand it on."""

    def close(self) -> None:
        """The host has stopped."""
