"""Datagrams: each goes its own way, and may be lost, doubled or overtaken."""

from __future__ import annotations

import errno
from collections import deque
from typing import Any

from sim.live.net.endpoint import READ, WRITE, Endpoint, fail
from sim.live.net.link import RECEIVED_BYTES_MAX

DATAGRAM_BYTES_MAX = 65_507


class Datagrams(Endpoint):
    """A socket for datagrams."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.queue: deque[tuple[bytes, Any]] = deque()
        self.deaf = False

    def readiness(self) -> int:
        return WRITE | READ if self.queue or self.error or self.deaf else WRITE

    def receive_now(self, size: int, peek: bool = False) -> tuple[bytes, Any]:
        if self.error:
            fail(self.take_error())
        if not self.queue:
            if self.deaf:
                return b"", None
            fail(errno.EAGAIN)
        data, sender = self.queue[0] if peek else self.queue.popleft()
        self.changed()
        return data[:size], sender

    def send_now(self, data: bytes) -> int:
        if self.peer is None:
            fail(errno.ENOTCONN if self.is_unix else errno.EDESTADDRREQ)
        return self.send_to(data, None)

    def send_to(self, data: bytes, address: Any) -> int:
        if self.error:
            fail(self.take_error())
        if len(data) > DATAGRAM_BYTES_MAX:
            fail(errno.EMSGSIZE)
        if address is None and self.peer is None:
            fail(errno.EDESTADDRREQ)
        self.kernel.put_datagram(self, data, self.peer if address is None else address)
        return len(data)

    def shutdown(self, how: int) -> None:
        if self.peer is None:
            fail(errno.ENOTCONN)
        self.deaf = True
        self.wake()

    def arrived(self, data: bytes, sender: Any) -> None:
        """A datagram has come. One is lost if too much waits to be read, or if it is not from whom this one is connected
        to."""
        if self.peer is not None and sender != self.peer:
            return
        if sum(len(waiting) for waiting, _ in self.queue) < RECEIVED_BYTES_MAX:
            self.queue.append((data, sender))
            self.wake()

    def bounced(self) -> None:
        """Nobody was where it sent to; only who is connected hears of it."""
        if self.peer is not None:
            self.error = errno.ECONNREFUSED
            self.wake()

    def told(self) -> bytes:
        return repr(([data for data, _ in self.queue], self.deaf)).encode()
