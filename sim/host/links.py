"""What a host needs of a way to another host, and the way within one process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from sim.host.journal import Mail

if TYPE_CHECKING:
    from sim.host.host import Host


@dataclass(frozen=True)
class Parcel:
    """A message on its way to another host, with the payloads that it brings."""

    journal: str
    """The journal that it comes from; with its number there it is told from all others."""
    low: int
    """The lowest number that is still on its way: what is below will not come again."""
    mail: Mail
    texts: Mapping[str, str]


class Link(Protocol):
    """A way to the host of some processes, in one direction."""

    async def carry(self, parcel: Parcel) -> bool:
        """Bring a parcel over; True once the other host has kept it. False or a broken connection: try again later."""

    async def close(self) -> None:
        """Let go of what it holds."""


class Beside:
    """The way to a host in the same process."""

    def __init__(self, other: Host) -> None:
        self.other = other

    async def carry(self, parcel: Parcel) -> bool:
        return self.other.receive(parcel)

    async def close(self) -> None:
        pass
