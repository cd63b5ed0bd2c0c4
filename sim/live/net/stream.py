"""Streams: the ends of connections, and those that wait for them."""

from __future__ import annotations

import errno
import socket
from collections import deque
from typing import Any

from sim.live.net.endpoint import BOTH, READ, WRITE, Endpoint, fail
from sim.live.net.link import BYTES, CONNECT, END, RESET, Arrival, Connection, Link

_HANDSHAKE = b"\x16\x03"
"""How a session of TLS begins."""
_LINGER_NOT = b"\x01\x00\x00\x00\x00\x00\x00\x00"
"""`SO_LINGER` on, for no time: whoever closes resets."""


class Stream(Endpoint):
    """One end of a connection."""

    connection: Connection
    into: Link
    out: Link

    connected = False
    ended = False
    """The other end has said that nothing more comes."""
    shut = False
    """This end has said so."""
    deaf = False
    """It reads no more."""
    dead = False
    """The connection was refused or reset."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.buffer = bytearray()
        self._unread: bytes | None = None

    def joined(self, connection: Connection, into: Link, out: Link) -> None:
        self.connection, self.into, self.out = connection, into, out

    # --- what programs do ---------------------------------------------------------------------------

    def readiness(self) -> int:
        if self.dead or (self.ended and self.shut):
            return BOTH
        if not self.connected:
            return 0
        if self.error:
            return BOTH
        ready = READ if self.buffer or self.ended or self.deaf else 0
        return ready | WRITE if self.shut or self.out.has_room else ready

    def receive_now(self, size: int, peek: bool = False) -> tuple[bytes, Any]:
        if self.buffer:
            data = bytes(self.buffer[:size])
            if not peek:
                full = self.connection.direct and not self.into.has_room
                del self.buffer[:size]
                self.changed()
                if full and self.into.has_room:
                    self.into.source.wake()
            return data, self.peer
        if self.error:
            fail(self.take_error())
        if self.ended or self.deaf or self.dead or not size:
            return b"", self.peer
        fail(errno.EAGAIN)

    def send_now(self, data: bytes) -> int:
        if self.error or self.shut or self.dead:
            fail(self.take_error() or errno.EPIPE)
        if not self.connected:
            fail(errno.EAGAIN)
        if not data:
            return 0
        room = self.out.room
        if room <= 0:
            fail(errno.EAGAIN)
        piece = data[:room]
        self._put(BYTES, piece)
        return len(piece)

    def send_to(self, data: bytes, address: Any) -> int:
        if address is not None and not self.is_unix and not self.connected:
            fail(errno.EPIPE)
        return self.send_now(data)

    def shutdown(self, how: int) -> None:
        if not self.connected or self.dead:
            fail(errno.ENOTCONN)
        if how in (socket.SHUT_RD, socket.SHUT_RDWR):
            self.deaf = True
        if how in (socket.SHUT_WR, socket.SHUT_RDWR) and not self.shut:
            self.shut = True
            self._put(END)
        self.wake()

    def close(self) -> None:
        """Close it. Whoever leaves something unread, or does not linger, resets the connection."""
        if self.closed:
            return
        super().close()
        if self.dead:
            return
        if not self.connected:
            self.out.clear()
            self.dead = True
        elif self.buffer or self.options.get((socket.SOL_SOCKET, socket.SO_LINGER)) == _LINGER_NOT:
            self._put(RESET)
        elif not self.shut:
            self._put(END)

    def vanish(self) -> None:
        if self.closed:
            return
        super().close()
        if self.connected and not self.dead:
            self._put(RESET)
        else:
            self.out.clear()

    def _put(self, what: str, data: bytes = b"") -> None:
        self.kernel.put(self.out, what, data)

    # --- what arrives -------------------------------------------------------------------------------

    def arrived(self, arrival: Arrival) -> None:
        """`arrival` has come, and is no longer on its way."""
        if arrival.what == BYTES:
            if self.closed:
                self.answer_reset()
            else:
                self.receive(arrival.data)
        elif arrival.what == END:
            self.receive_end()
        elif arrival.what == RESET:
            self.die()

    def receive(self, data: bytes) -> None:
        self.buffer += data
        self.wake()

    def receive_end(self) -> None:
        self.ended = True
        if self.is_unix and self.into.source.closed:
            self.shut = True  # both ends are of one system: nothing can be sent to it either
        self.wake()

    def answer_reset(self) -> None:
        """Nobody is here any longer, and who sends is told."""
        if not self.dead:
            self.dead = True
            self._put(RESET)

    def die(self, number: int = errno.ECONNRESET) -> None:
        """The connection is broken. What has been received can still be read."""
        if self.dead and not self.error and self.closed:
            return
        self.dead, self.connected = True, self.connected
        if not self.closed:
            self.error = errno.EPIPE if self.ended and number == errno.ECONNRESET else number
        self.out.clear()
        self.into.clear()
        self.wake()

    def begin(self) -> None:
        """It is connected."""
        self.connected = True
        self.wake()

    # --- marks --------------------------------------------------------------------------------------

    def changed(self) -> None:
        super().changed()
        self._unread = None

    def told(self) -> bytes:
        connection = self.connection
        flags = (self.connected, self.ended, self.shut, self.deaf, self.dead, self.out.silent, connection.sealed)
        sealed = connection.sealed
        flight = [(arrival.what, b"" if sealed else arrival.data) for arrival in self.out.flight]
        unread = bool(self.buffer) if sealed else bytes(self.buffer)
        side = self is connection.client
        return repr((connection.source, connection.target, connection.ordinal, side, flags, unread, flight)).encode()


class Listener(Endpoint):
    """A stream socket that waits for connections."""

    def __init__(self, *args: Any, backlog: int) -> None:
        super().__init__(*args)
        self.backlog = max(0, backlog)
        self.queue: deque[Stream] = deque()

    @property
    def is_full(self) -> bool:
        """One more than the backlog are let in, as on Linux."""
        return len(self.queue) > self.backlog

    def readiness(self) -> int:
        return READ if self.queue else 0

    def accept_now(self) -> Stream:
        if not self.queue:
            fail(errno.EAGAIN)
        stream = self.queue.popleft()
        self.changed()
        self.kernel.open(stream)
        return stream

    def shutdown(self, how: int) -> None:
        self.close()

    def close(self) -> None:
        """Close it; who was not accepted is reset."""
        if self.closed:
            return
        super().close()
        for stream in self.queue:
            stream.vanish()
        self.queue.clear()

    def told(self) -> bytes:
        return repr([stream.connection.ordinal for stream in self.queue]).encode()


def joined(source: str, target: str, ordinal: int, client: Stream, server: Stream, direct: bool = False) -> Connection:
    """The connection between two ends."""
    connection = Connection(source, target, ordinal, client, server, direct)
    there, back = Link(connection, client, server), Link(connection, server, client)
    client.joined(connection, back, there)
    server.joined(connection, there, back)
    return connection


def begins_session(data: bytes) -> bool:
    return data.startswith(_HANDSHAKE)


__all__ = ["CONNECT", "Listener", "Stream", "begins_session", "joined"]
