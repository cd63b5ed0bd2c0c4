"""What is on its way: the channels on which something is, and the datagrams; and what is held back by a cut."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from sim.base.mixer import key64
from sim.live.net.addresses import covers
from sim.live.net.channel import BYTES, CONNECT, Channel, Datagram, Incoming, begins_session

if TYPE_CHECKING:
    from sim.live.net.datagram_socket import DatagramSocket
    from sim.live.net.exchange import Exchange


class Traffic:
    """The traffic of one run."""

    def __init__(self) -> None:
        self._sent = 0
        self.on_sent: Callable[[Incoming], None] | None = None
        """Is told of everything that is put on its way."""
        self._busy: dict[Channel, None] = {}
        self._datagrams: dict[Datagram, None] = {}
        self._late: list[Incoming] = []
        self.cuts: dict[tuple[str, str], None] = {}
        """Between whom nothing crosses, from the first to the second."""

    @property
    def is_idle(self) -> bool:
        """Whether nothing is on its way."""
        return not self._busy and not self._datagrams

    def arrivals(self) -> list[Incoming]:
        """What may arrive now, in the order sent: the first of each channel, and every datagram."""
        if not self._busy and not self._datagrams:
            return []
        found: list[Incoming] = [channel.flight[0] for channel in self._busy if channel.is_open]
        if self._late:
            found = [arrival for arrival in found if not arrival.is_late]
        found += self._datagrams
        if self.cuts:
            found = [arrival for arrival in found if not self._is_cut(arrival)]
        if len(found) > 1:
            found.sort(key=_number)
        return found

    def send(self, channel: Channel, what: str, data: bytes = b"", *, is_sealed: bool = False) -> None:
        """Put it on its way, after all that was sent on this channel before."""
        if what == BYTES and begins_session(data):
            channel.connection.sealed = True
        arrival = Incoming(self._next(), what, data, channel)
        arrival.is_open &= not is_sealed
        if what == BYTES and not is_sealed and channel.exchange is not None:
            arrival.exchange, arrival.begins, channel.begun = channel.exchange, not channel.begun, True
        channel.flight.append(arrival)
        channel.load += len(data)
        self._busy[channel] = None
        self._tell(arrival)

    def take(self, channel: Channel, split: bool = False) -> Incoming:
        """The first of `channel`, which is no longer on its way; or the first half of it."""
        arrival = channel.flight.popleft()
        channel.load -= len(arrival.data)
        if split:
            half, is_open = len(arrival.data) // 2, arrival.is_open
            rest = Incoming(self._next(), arrival.what, arrival.data[half:], channel)
            arrival = Incoming(arrival.number, arrival.what, arrival.data[:half], channel)  # whole, or not at all
            rest.is_open = arrival.is_open = is_open
            channel.flight.appendleft(rest)
            channel.load += len(rest.data)
            self._tell(rest)
        if not channel.flight:
            del self._busy[channel]
        return arrival

    def replace(self, channel: Channel, exchange: Exchange, parts: Sequence[bytes]) -> None:
        """What is on its way of this answer, or will be sent of it, is lost; these `parts` come in its place."""
        channel.replaced = exchange
        instead = [Incoming(self._next(), BYTES, part, channel) for part in parts]
        channel.flight = deque([*instead, *(one for one in channel.flight if one.exchange is not exchange)])
        channel.load = sum(len(one.data) for one in channel.flight)
        channel.source.changed()
        self._busy.pop(channel, None)
        if channel.flight:
            self._busy[channel] = None
        for one in instead:
            self._tell(one)

    def delay(self, arrival: Incoming) -> None:
        """It does not come before some time has passed, and neither does what was sent after it."""
        arrival.is_late = True
        self._late.append(arrival)

    def time_passes(self) -> None:
        """A timer has fired."""
        for arrival in self._late:
            arrival.is_late = False
            if arrival.channel is not None:
                arrival.channel.source.changed()
        self._late.clear()

    def drop(self, channel: Channel) -> None:
        """All that is on its way on `channel` is lost."""
        channel.flight.clear()
        channel.load = 0
        channel.source.changed()
        self._busy.pop(channel, None)

    def fly(self, sender: DatagramSocket, address: Any, source: str, target: str, data: bytes) -> None:
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

    def _tell(self, arrival: Incoming) -> None:
        if self.on_sent is not None:
            self.on_sent(arrival)

    def _next(self) -> int:
        self._sent += 1
        return self._sent

    def _is_cut(self, arrival: Incoming) -> bool:
        if arrival.channel is not None and arrival.channel.connection.within:
            return False
        ways = [(arrival.source, arrival.target)]
        if arrival.what == CONNECT:
            ways.append((arrival.target, arrival.source))  # its answer has to come back
        return any(covers(a, source) and covers(b, target) for a, b in self.cuts for source, target in ways)


def _number(arrival: Incoming) -> int:
    return arrival.number
