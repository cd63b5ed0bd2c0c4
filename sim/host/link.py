"""What a host needs of a way to another host, and the way within one process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from sim.host.journal_records import Mail

if TYPE_CHECKING:
    from sim.host.host import Host


class Sender(NamedTuple):
    """The host that a message is from."""

    journal: str
    model: str
    opening: str
    """Which start of this host it is: a word that no two have in common."""
    since: int
    """The first line of the trace that this start may write."""


@dataclass(frozen=True)
class Parcel:
    """A message on its way to another host, with the payloads that it brings.

    The other host takes the messages of one way (session, source, target) in their order, each after the one that it
    took last: so one number a way is all that it has to remember of them, however often they come, and over however many
    links. What was lost with a journal is noticed, too: then the number that is kept is another than `after`.
    """

    sender: Sender
    mail: Mail
    after: int
    """The message of the same way before it; 0 if there is none."""
    texts: Mapping[str, str]


class Receipt(NamedTuple):
    """What became of a parcel: the other host has kept it or has not, and why not, if that is more than "not yet"."""

    id: int
    kept: bool
    line: str = ""


class Link(Protocol):
    """A way to the host of some processes, in one direction."""

    async def carry(self, parcels: Iterable[Parcel]) -> Sequence[Receipt]:
        """Bring these over, in their order; what became of each, as far as the way held. They are to be taken one by one,
        as there is room: each is read from the disk when it is asked for. Raises `OSError` if nothing came through."""

    async def close(self) -> None:
        """Let go of what it holds."""


class Beside:
    """The way to a host in the same process."""

    def __init__(self, other: Host) -> None:
        self.other = other

    async def carry(self, parcels: Iterable[Parcel]) -> Sequence[Receipt]:
        receipts = []
        for parcel in parcels:
            receipts.append(self.other.receive(parcel))
            await asyncio.sleep(0)  # others have their turn
        return receipts

    async def close(self) -> None:
        pass
