"""Sockets, the side of the kernel: what a descriptor stands for. Errors are those of Linux, by number."""

from __future__ import annotations

import errno
import os
import selectors
import socket
from typing import TYPE_CHECKING, Any

from sim.base.mixer import key64

if TYPE_CHECKING:
    from sim.live.net.kernel import Kernel

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
BOTH = READ | WRITE


def failure(number: int) -> OSError:
    """The error that the operating system would give."""
    return OSError(number, os.strerror(number))


class KernelSocket:
    """A socket that is fresh: neither connected nor listening."""

    def __init__(self, kernel: Kernel, fd: int, family: int, kind: int, proto: int, owner: str) -> None:
        self.kernel, self.fd, self.owner = kernel, fd, owner
        """`fd` is -1 where nobody has accepted it yet."""
        self.family, self.kind, self.proto = family, kind, proto
        self.is_unix = family == socket.AF_UNIX
        self.local: Any = None
        self.peer: Any = None
        self.error = 0
        self.closed = False
        self.options: dict[tuple[int, int], Any] = {}
        self._mark: int | None = None

    def changed(self) -> None:
        """It is no longer as it was."""
        self._mark = None

    def wake(self) -> None:
        """It may be ready now."""
        self._mark = None
        self.kernel.selector.woken(self.fd)

    def take_error(self) -> int:
        """The error that nobody has been told yet; 0: none."""
        number, self.error = self.error, 0
        if number:
            self.changed()
        return number

    # --- what programs do with it -------------------------------------------------------------------

    def readiness(self) -> int:
        """What it is ready for: `READ`, `WRITE`. A fresh one is hung up, as on Linux."""
        return BOTH

    def bind(self, address: Any) -> None:
        self.kernel.addresses.bind(self, address)

    def listen(self, backlog: int) -> None:
        self.kernel.listen(self, backlog)

    def connect(self, address: Any) -> None:
        self.kernel.connect(self, address)

    def accept(self) -> KernelSocket:
        raise failure(errno.EINVAL)

    def receive(self, size: int, peek: bool = False) -> tuple[bytes, Any]:
        raise failure(errno.ENOTCONN)

    def send(self, data: memoryview) -> int:
        raise failure(errno.EPIPE)

    def send_to(self, data: memoryview, address: Any) -> int:
        raise failure(errno.EPIPE)

    def shutdown(self, how: int) -> None:
        raise failure(errno.ENOTCONN)

    def close(self) -> None:
        """Its descriptor is gone, and its address is free."""
        self.closed = True
        self.changed()
        self.kernel.shut(self)

    def vanish(self) -> None:
        """Whoever held it has crashed."""
        self.close()

    # --- marks --------------------------------------------------------------------------------------

    def told(self) -> object:
        """What two endpoints of one mark have in common, beside kind and owner."""
        return self.local is None

    def mark(self) -> int:
        if self._mark is None:
            self._mark = key64(repr((type(self).__name__, self.owner, self.closed, self.error, self.told())).encode())
        return self._mark
