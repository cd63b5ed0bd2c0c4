"""What is on its way: the links on which something is, and the datagrams; and what is held back by a cut."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from sim.base.mixer import key64
from sim.live.net.addresses import covers
from sim.live.net.link import BYTES, CONNECT, Arrival, Datagram, Link, begins_session

if TYPE_CHECKING:
    from sim.live.net.datagrams import Datagrams


class Traffic:
    """The traffic of one run."""

    def __init__(self) -> None:
        self._sent = 0
        self.on_sent: Callable[[Arrival], None] | None = None
        """Is told of everything that is put on its way."""
        self._busy: dict[Link, None] = {}
        self._datagrams: dict[Datagram, None] = {}
        self.cuts: dict[tuple[str, str], None] = {}
        """Between whom nothing crosses, from the first to the second."""

    def arrivals(self) -> list[Arrival]:
        """What may arrive now, in the order sent: the first of each link, and every datagram."""
        if not self._busy and not self._datagrams:
            return []
        found: list[Arrival] = [link.flight[0] for link in self._busy if link.is_open]
        found += self._datagrams
        if self.cuts:
            found = [arrival for arrival in found if not self._is_cut(arrival)]
        if len(found) > 1:
            found.sort(key=_number)
        return found

    def send(self, link: Link, what: str, data: bytes = b"") -> None:
        """Put it on its way, behind all that was sent on this link before."""
        if what == BYTES and begins_session(data):
            link.connection.sealed = True
        arrival = Arrival(self._next(), what, data, link)
        link.flight.append(arrival)
        link.load += len(data)
        self._busy[link] = None
        self._tell(arrival)

    def take(self, link: Link, split: bool = False) -> Arrival:
        """The first of `link`, which is no longer on its way; or the first half of it."""
        arrival = link.flight.popleft()
        link.load -= len(arrival.data)
        if split:
            half = len(arrival.data) // 2
            rest = Arrival(self._next(), arrival.what, arrival.data[half:], link)
            arrival.data = arrival.data[:half]
            link.flight.appendleft(rest)
            link.load += len(rest.data)
            self._tell(rest)
        if not link.flight:
            del self._busy[link]
        return arrival

    def drop(self, link: Link) -> None:
        """All that is on its way on `link` is lost."""
        link.flight.clear()
        link.load = 0
        self._busy.pop(link, None)

    def fly(self, sender: Datagrams, address: Any, source: str, target: str, data: bytes) -> None:
        """Put a datagram on its way."""
        datagram = Datagram(self._next(), data, sender, address, source, target)
        self._datagrams[datagram] = None
        self._tell(datagram)

    def catch(self, datagram: Datagram) -> None:
        """It is no longer on its way."""
        del self._datagrams[datagram]

    def marks(self) -> Iterator[int]:
        """64 bits of each part that no endpoint knows."""
        for each in self._datagrams:
            yield key64(repr((each.source, each.target, each.data, each.address)).encode())
        for source, target in self.cuts:
            yield key64(f"cut {source}->{target}".encode())

    def _tell(self, arrival: Arrival) -> None:
        if self.on_sent is not None:
            self.on_sent(arrival)

    def _next(self) -> int:
        self._sent += 1
        return self._sent

    def _is_cut(self, arrival: Arrival) -> bool:
        ways = [(arrival.source, arrival.target)]
        if arrival.what == CONNECT:
            ways.append((arrival.target, arrival.source))  # its answer has to come back
        return any(covers(a, source) and covers(b, target) for a, b in self.cuts for source, target in ways)


def _number(arrival: Arrival) -> int:
    return arrival.number
