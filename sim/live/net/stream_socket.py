"""Streams: the ends of connections, and those that wait for them."""

from __future__ import annotations

import errno
import socket
from collections import deque
from typing import TYPE_CHECKING, Any

from sim.live.net.channel import BYTES, CONNECT, END, RECEIVED_BYTES_MAX, RESET, Channel, Connection, Incoming
from sim.live.net.kernel_socket import BOTH, READ, WRITE, KernelSocket, failure

if TYPE_CHECKING:
    from ssl import SSLContext

_LINGER = socket.SOL_SOCKET, socket.SO_LINGER
_NO_TIME = b"\x01\x00\x00\x00\x00\x00\x00\x00"
"""It lingers for no time: whoever closes resets."""


class StreamSocket(KernelSocket):
    """One end of a connection."""

    connection: Connection
    into: Channel
    out: Channel

    connected = False
    ended = False
    """The other end has said that nothing more comes."""
    finished = False
    """This end has said so."""
    deaf = False
    """It reads no more."""
    dead = False
    """The connection was refused or reset."""
    known = False
    """Who connected has asked whether it is."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.buffer = bytearray()

    @property
    def is_over(self) -> bool:
        """Whether it is not connected: not yet, or no longer."""
        return self.dead or not self.connected or (self.ended and self.finished)

    # --- what programs do ---------------------------------------------------------------------------

    def readiness(self) -> int:
        if self.dead or (self.ended and self.finished):
            return BOTH
        if not self.connected:
            return 0
        ready = READ if self.buffer or self.ended or self.deaf else 0
        return ready | WRITE if self.finished or self.out.has_room else ready

    def bind(self, address: Any) -> None:
        raise failure(errno.EINVAL)

    def listen(self, backlog: int) -> None:
        raise failure(errno.EINVAL)

    def connect(self, address: Any) -> None:
        """Ask what has become of it: Linux says once that it is connected."""
        if self.dead:
            raise failure(self.take_error() or errno.ECONNABORTED)
        if not self.connected or self.known:
            raise failure(errno.EISCONN if self.connected else errno.EALREADY)
        self.known = True

    def receive(self, size: int, peek: bool = False) -> tuple[bytes, Any]:
        """What has come, at most `size` bytes; that an error came is said after it."""
        if self.buffer:
            data = bytes(self.buffer[:size])
            if not peek:
                crowded = self.connection.direct and not self.into.has_room
                del self.buffer[:size]
                self.changed()
                if crowded and self.into.has_room:
                    self.into.source.wake()
            return data, self.peer
        if self.error and (self.is_unix or not self.ended):
            raise failure(self.take_error())
        if self.ended or self.deaf or self.dead:
            return b"", self.peer
        raise failure(errno.EAGAIN)

    def send(self, data: memoryview) -> int:
        """How many bytes were taken."""
        if self.finished or self.dead:
            raise failure((not self.is_unix and self.take_error()) or errno.EPIPE)
        room = self.out.room if self.connected else 0
        if not data:
            return 0
        if not room:
            raise failure(errno.EAGAIN)
        piece = bytes(data[:room])
        self._put(BYTES, piece)
        return len(piece)

    def send_to(self, data: memoryview, address: Any) -> int:
        return self.send(data)

    def shutdown(self, how: int) -> None:
        if self.is_over and not self.is_unix:
            raise failure(errno.ENOTCONN)
        if how != socket.SHUT_WR:
            self.deaf = True
            if self.is_unix and self.connected:
                self.out.target.finished = True  # within one machine it is known that nobody would read
                self.out.target.wake()
        if how != socket.SHUT_RD and not self.finished:
            self.finished = True
            self._put(END)
        self.wake()

    def close(self) -> None:
        """Close it. Whoever leaves something unread, or does not linger, resets the connection."""
        if self.is_over and not self.is_unix:
            self._leave("")
        elif self.buffer or (self.options.get(_LINGER) == _NO_TIME and not self.is_unix):
            self._leave(RESET)
        else:
            self._leave(END if self.is_unix or not self.finished else "")  # within one machine it is known who has left

    def vanish(self) -> None:
        self._leave(RESET)

    def _leave(self, word: str) -> None:
        if self.closed:
            return
        self.closed = True
        if not self.connected:
            self.dead = True
            self.kernel.traffic.drop(self.out)  # it is no longer asked for
        elif not self.dead and word:
            self.dead = word == RESET
            self._put(word)
        super().close()

    def _put(self, what: str, data: bytes = b"") -> None:
        self.kernel.put(self.out, what, data)

    # --- what arrives -------------------------------------------------------------------------------

    def takes(self, what: str) -> bool:
        """Whether it takes what comes first: there may be too much that it has not read."""
        if what == BYTES:
            return len(self.buffer) < RECEIVED_BYTES_MAX
        return what != CONNECT or self.kernel.takes(self)

    def begin(self) -> None:
        """It is connected."""
        self.connected = True
        self.wake()

    def arrived(self, arrival: Incoming) -> None:
        """`arrival` has come."""
        if arrival.what == RESET:
            self.die()
        elif arrival.what == END:
            self.get_end()
        elif not self.closed and self.deaf and self.finished and not self.is_unix:
            self.die()
            self._put(RESET)  # neither to be read nor to be answered
        elif not self.closed:
            self.get(arrival.data, is_open=arrival.is_open)
        elif not self.dead:
            self.dead = True
            self._put(RESET)  # nobody is here any longer, and who sends is told

    def get(self, data: bytes, *, is_open: bool = True) -> None:
        """These bytes have come. Where TLS is done by the network of its server they are sealed now, if they are `is_open`."""
        seal = self.connection.seal
        self.buffer += seal.seals(data) if seal is not None and is_open and self.into.from_server else data
        self.wake()

    def get_end(self) -> None:
        self.ended = True
        if self.is_unix and self.into.source.closed:
            self.finished = True
        self.wake()

    def die(self, number: int = errno.ECONNRESET) -> None:
        """The connection is broken. What came before can still be read."""
        if self.dead or (self.connected and self.is_over and not self.is_unix):
            return
        self.dead = True
        self.error = errno.EPIPE if self.ended and not self.is_unix else number
        self.kernel.traffic.drop(self.out)
        self.kernel.traffic.drop(self.into)
        self.wake()

    # --- marks --------------------------------------------------------------------------------------

    def told(self) -> object:
        connection = self.connection
        sealed = connection.sealed
        flight = [(arrival.what, arrival.shown, arrival.is_late) for arrival in self.out.flight]
        unread = bool(self.buffer) if sealed else bytes(self.buffer)
        flags = self.connected, self.ended, self.finished, self.deaf, self.dead, self.out.silent, sealed
        ordinal = connection.ordinal, self is connection.client
        return connection.source, connection.target, ordinal, flags, unread, flight


class ListeningSocket(KernelSocket):
    """A stream socket that waits for connections."""

    def __init__(self, *args: Any, backlog: int) -> None:
        super().__init__(*args)
        self.backlog = backlog
        self.tls: SSLContext | None = None
        """With what its network does TLS for it, if it does."""
        self.queue: deque[StreamSocket] = deque()

    @property
    def is_full(self) -> bool:
        """One more than the backlog are let in, as on Linux."""
        return len(self.queue) > max(0, self.backlog)

    def readiness(self) -> int:
        return READ if self.queue else 0

    def bind(self, address: Any) -> None:
        raise failure(errno.EINVAL)

    def listen(self, backlog: int) -> None:
        self.backlog = backlog

    def connect(self, address: Any) -> None:
        raise failure(errno.EISCONN)

    def accept(self) -> StreamSocket:
        if not self.queue:
            raise failure(errno.EAGAIN)
        stream = self.queue.popleft()
        self.changed()
        self.kernel.open(stream)
        return stream

    def shutdown(self, how: int) -> None:
        if how != socket.SHUT_WR:
            self.close()

    def close(self) -> None:
        """Close it; who was not accepted is reset."""
        if self.closed:
            return
        super().close()
        while self.queue:
            self.queue.popleft().vanish()

    def told(self) -> object:
        return [(stream.connection.source, stream.connection.ordinal) for stream in self.queue]
