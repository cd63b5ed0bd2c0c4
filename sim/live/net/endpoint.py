"""Endpoints: what a descriptor stands for. Errors are those of Linux, by number."""

from __future__ import annotations

import errno
import os
import selectors
import socket
from typing import TYPE_CHECKING, Any, NoReturn

from sim.base.mixer import key64

if TYPE_CHECKING:
    from sim.live.net.kernel import Kernel

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
BOTH = READ | WRITE


def fail(number: int) -> NoReturn:
    """Raises the error that the operating system would give."""
    raise OSError(number, os.strerror(number))


class Endpoint:
    """A socket that is fresh: neither connected nor listening."""

    def __init__(self, kernel: Kernel, fd: int, family: int, kind: int, proto: int, owner: str) -> None:
        self.kernel, self.fd, self.owner = kernel, fd, owner
        """`fd` is -1 where nobody has accepted it yet."""
        self.family, self.kind, self.proto = family, kind, proto
        self.local: Any = None
        self.peer: Any = None
        self.error = 0
        self.closed = False
        self.options: dict[tuple[int, int], Any] = {}
        self._mark: int | None = None

    @property
    def is_unix(self) -> bool:
        return self.family == socket.AF_UNIX

    def become(self, other: Endpoint) -> None:
        """`other` takes its place."""
        other.local, other.options, other.owner = self.local, self.options, self.owner
        self.kernel.files[self.fd] = other
        bound = self.kernel.bound
        for key in [key for key, end in bound.items() if end is self]:
            bound[key] = other
        other.changed()

    def changed(self) -> None:
        """It is no longer as it was."""
        self._mark = None

    def wake(self) -> None:
        """It may be ready now."""
        self.changed()
        if self.fd >= 0:
            self.kernel.selector.woken(self.fd)

    def take_error(self) -> int:
        number, self.error = self.error, 0
        if number:
            self.changed()
        return number

    # --- what programs do with it -------------------------------------------------------------------

    def readiness(self) -> int:
        """What it is ready for: `READ`, `WRITE`. A fresh one is hung up, as on Linux."""
        return BOTH

    def receive_now(self, size: int, peek: bool = False) -> tuple[bytes, Any]:
        fail(errno.ENOTCONN)

    def send_now(self, data: bytes) -> int:
        fail(errno.EPIPE)

    def send_to(self, data: bytes, address: Any) -> int:
        fail(errno.EPIPE)

    def accept_now(self) -> Endpoint:
        fail(errno.EINVAL)

    def shutdown(self, how: int) -> None:
        fail(errno.ENOTCONN)

    def close(self) -> None:
        """Its descriptor is gone, and its address is free; a path stays until it is unlinked."""
        self.closed = True
        self.kernel.forget(self)

    def vanish(self) -> None:
        """Whoever held it has crashed."""
        self.close()

    # --- marks --------------------------------------------------------------------------------------

    def told(self) -> bytes:
        """What two endpoints of equal marks have in common, beside their names."""
        return b""

    def mark(self) -> int:
        if self._mark is None:
            self._mark = key64(
                b"%s %s %d\0%s" % (type(self).__name__.encode(), self.owner.encode(), self.error, self.told())
            )
        return self._mark
