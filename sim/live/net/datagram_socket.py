"""Datagrams: each goes its own way, and may be lost, doubled or overtaken."""

from __future__ import annotations

import errno
from collections import deque
from typing import Any

from sim.live.net.channel import RECEIVED_BYTES_MAX
from sim.live.net.kernel_socket import READ, WRITE, KernelSocket, failure

DATAGRAM_BYTES_MAX = 65_507


class DatagramSocket(KernelSocket):
    """A socket for datagrams."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.queue: deque[tuple[bytes, Any]] = deque()
        self.deaf = False

    def readiness(self) -> int:
        return WRITE | READ if self.queue or self.error or self.deaf else WRITE

    def listen(self, backlog: int) -> None:
        raise failure(errno.EOPNOTSUPP)

    def accept(self) -> KernelSocket:
        raise failure(errno.EOPNOTSUPP)

    def connect(self, address: Any) -> None:
        """From now on it sends there, and hears only who is there."""
        kernel = self.kernel
        address = kernel.addresses.resolved(self.family, address)
        if self.local is None:
            kernel.addresses.bind(self, kernel.addresses.nowhere(self.family, address))
        self.peer = address
        self.changed()

    def receive(self, size: int, peek: bool = False) -> tuple[bytes, Any]:
        if self.error:
            raise failure(self.take_error())
        if not self.queue:
            if self.deaf:
                return b"", None
            raise failure(errno.EAGAIN)
        data, sender = self.queue[0] if peek else self.queue.popleft()
        self.changed()
        return data[:size], sender

    def send(self, data: memoryview) -> int:
        return self.send_to(data, None)

    def send_to(self, data: memoryview, address: Any) -> int:
        if self.error:
            raise failure(self.take_error())
        if len(data) > DATAGRAM_BYTES_MAX:
            raise failure(errno.EMSGSIZE)
        address = self.peer if address is None else address
        if address is None:
            raise failure(errno.ENOTCONN if self.is_unix else errno.EDESTADDRREQ)
        self.kernel.put_datagram(self, bytes(data), address)
        return len(data)

    def shutdown(self, how: int) -> None:
        if self.peer is None:
            raise failure(errno.ENOTCONN)
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
        if self.peer is not None and not self.closed:
            self.error = errno.ECONNREFUSED
            self.wake()

    def told(self) -> object:
        return list(self.queue), self.deaf, self.peer is None
