"""Channels: one direction of a connection. What is on its way arrives in the order in which it was sent."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sim.live.net.exchange import PLAIN_FAULTS, Exchange, begins_response

if TYPE_CHECKING:
    from sim.live.net.datagram_socket import DatagramSocket
    from sim.live.net.seal import Seal
    from sim.live.net.stream_socket import StreamSocket

CONNECT, BYTES, END, RESET, DATAGRAM = "connect", "bytes", "end", "reset", "datagram"
EXIT = "exit"
"""What may arrive; beside the names of signals, of which this is the answer."""
DROP, DUPLICATE, SPLIT, REFUSE = "drop", "duplicate", "split", "refuse"
"""What may become of it instead."""
IN_FLIGHT_BYTES_MAX = 64 * 1024
RECEIVED_BYTES_MAX = 64 * 1024
"""How much may be on its way, and how much may wait to be read before nothing more arrives."""


def begins_session(data: bytes) -> bool:
    """Whether TLS begins here: with a record of its handshake."""
    return data.startswith(b"\x16\x03")


class Incoming:
    """Something that is on its way. `number` is its own in the run, in the order sent."""

    __slots__ = (
        "begins",
        "channel",
        "connection",
        "data",
        "exchange",
        "is_late",
        "is_open",
        "number",
        "source",
        "target",
        "what",
    )

    source: str
    target: str

    def __init__(self, number: int, what: str, data: bytes, channel: Channel | None) -> None:
        self.number, self.what, self.data = number, what, data
        self.channel = channel
        """None: a datagram, which goes its own way."""
        self.connection = 0
        """Which of the connections between these two it belongs to, from 1; 0: a datagram."""
        self.exchange: Exchange | None = None
        """The answer that it is a part of, if its server can say what else that could have been."""
        self.begins = False
        """Whether that answer begins with it."""
        self.is_open = channel is not None and channel.connection.seal is not None
        """Whether its bytes are known although it is a part of a TLS session: its server's network does TLS."""
        self.is_late = False
        """Whether it does not come before some time has passed."""
        if channel is not None:
            self.source, self.target, self.connection = (
                channel.source_name,
                channel.target_name,
                channel.connection.ordinal,
            )

    @property
    def subject(self) -> tuple[str, int, str]:
        return "message", self.number, f"{self.source}->{self.target}"

    @property
    def sealed(self) -> bool:
        """Whether it is a part of a TLS session. What is in it, and at times how long it is, depends on keys that differ
        in each run; so neither is shown."""
        return self.channel is not None and self.channel.connection.sealed and not self.is_open

    @property
    def size(self) -> int:
        """Bytes; 0 for a sealed one."""
        return 0 if self.sealed else len(self.data)

    @property
    def shown(self) -> bytes:
        """What digests may know of its bytes."""
        return b"" if self.sealed else self.data

    @property
    def is_http_response(self) -> bool:
        """Whether a response of plain HTTP begins here, on its way from a server."""
        channel = self.channel
        if channel is None or not channel.from_server or channel.connection.within:
            return False
        return self.what == BYTES and begins_response(self.data)

    @property
    def faults(self) -> tuple[str, ...]:
        """What may become of it instead; a duration may follow `rate_limited`, as in `rate_limited(30s)`."""
        if self.channel is None:
            return DROP, DUPLICATE
        if self.what == CONNECT:
            return () if self.channel.source.is_unix else (REFUSE,)
        split = (SPLIT,) if self.what == BYTES and len(self.data) > 1 else ()
        if self.exchange is not None:
            return (*split, *self.exchange.faults(begun=not self.begins))
        return (*split, *PLAIN_FAULTS) if self.is_http_response else split

    @property
    def choices(self) -> Sequence[str]:
        """What it may be, first what it is as usual, where there are several."""
        return self.exchange.choices if self.exchange is not None and self.begins else ()

    def __repr__(self) -> str:
        size = f" {self.size} bytes" if self.what in (BYTES, DATAGRAM) else ""
        return f"<{self.what} {self.source}->{self.target}{size}, number {self.number}>"


class Datagram(Incoming):
    """A datagram that is on its way to `address`."""

    __slots__ = ("address", "sender")

    def __init__(
        self, number: int, data: bytes, sender: DatagramSocket, address: Any, source: str, target: str
    ) -> None:
        super().__init__(number, DATAGRAM, data, None)
        self.sender, self.address, self.source, self.target = sender, address, source, target


class Channel:
    """One direction of a connection."""

    __slots__ = ("begun", "connection", "exchange", "flight", "load", "replaced", "silent", "source", "target")

    def __init__(self, connection: Connection, source: StreamSocket, target: StreamSocket) -> None:
        self.connection, self.source, self.target = connection, source, target
        self.flight: deque[Incoming] = deque()
        self.load = 0
        """Bytes that are on their way."""
        self.silent = False
        """Whether whatever is sent vanishes."""
        self.exchange: Exchange | None = None
        """The answer that is being sent, if its server says what else it could have been."""
        self.begun = False
        """Whether something of it was sent."""
        self.replaced: Exchange | None = None
        """The last answer in whose place something else has come: what is still said of it vanishes."""

    def answers(self, exchange: Exchange) -> None:
        """What is sent from now on is this answer."""
        self.exchange, self.begun = exchange, False

    @property
    def from_server(self) -> bool:
        return self.source is self.connection.server

    @property
    def source_name(self) -> str:
        return self.connection.target if self.from_server else self.connection.source

    @property
    def target_name(self) -> str:
        return self.connection.source if self.from_server else self.connection.target

    @property
    def room(self) -> int:
        """How many bytes it takes now."""
        if self.connection.direct:
            return max(0, RECEIVED_BYTES_MAX - len(self.target.buffer))
        return IN_FLIGHT_BYTES_MAX - self.load

    @property
    def has_room(self) -> bool:
        """Whether the sender is told that it may write: where a third is free, as on Linux, so that it is not woken for
        each byte."""
        return 3 * self.room >= IN_FLIGHT_BYTES_MAX

    @property
    def is_open(self) -> bool:
        """Whether the receiver takes what comes first."""
        return self.target.takes(self.flight[0].what)


@dataclass(eq=False, slots=True)
class Connection:
    """Two ends, and what they were called when the one reached for the other."""

    source: str
    """Who connected."""
    target: str
    ordinal: int
    """Which of the connections between these two it is, from 1."""
    client: StreamSocket
    server: StreamSocket
    direct: bool = False
    """Whether what is sent arrives at once: both ends are of one process."""
    sealed: bool = False
    """Whether TLS has begun on it."""
    seal: Seal | None = None
    """What does TLS for its server, if anything does."""
    within: bool = False
    """Whether it is within one machine, as a pipe: nothing cuts or resets it."""

    @property
    def alive(self) -> bool:
        """Whether both ends still hold it."""
        return not any(end.closed or end.is_over for end in (self.client, self.server))

    @property
    def left(self) -> bool:
        """Whether nobody holds it, and nothing is on its way."""
        ends = self.client, self.server
        return all((end.closed or (end.dead and end.fd < 0)) and not end.out.flight for end in ends)

    def __repr__(self) -> str:
        return f"<connection {self.source}->{self.target} {self.ordinal}>"
