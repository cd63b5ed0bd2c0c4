"""Pipes between processes of a run, as those of Linux, and what one process knows of another.

Bytes go one way, and what is written is on its way until it arrives. That the reader is gone is known to the writer at once,
as one machine knows it; that the writer is, comes after what was written. A pipe holds 64 KiB, whether on its way or unread.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any

from sim.live.net.channel import BYTES, END, EXIT, Incoming
from sim.live.net.kernel_socket import BOTH, READ, WRITE, KernelSocket, failure
from sim.live.net.stream_socket import StreamSocket

CAPACITY_BYTES = 64 * 1024
WHOLE_BYTES = 4096
"""At most so many are written as a whole or not at all."""
KILLED = -9


class ReadEnd(StreamSocket):
    """Where a pipe is read."""

    def readiness(self) -> int:
        return READ if self.buffer or self.ended else 0

    def receive(self, size: int, peek: bool = False) -> tuple[bytes, Any]:
        if not self.buffer:
            if self.ended:
                return b"", None
            raise failure(errno.EAGAIN)
        writer: Any = self.into.source
        crowded = writer.is_crowded
        data = bytes(self.buffer[:size])
        del self.buffer[:size]
        self.changed()
        if crowded and not writer.is_crowded:
            writer.wake()
        return data, None

    def send(self, data: memoryview) -> int:
        raise failure(errno.EBADF)

    def close(self) -> None:
        """What is not read is lost."""
        if not self.closed:
            self.kernel.traffic.drop(self.into)
            KernelSocket.close(self)
            self.into.source.wake()

    def vanish(self) -> None:
        self.close()

    def arrived(self, arrival: Incoming) -> None:
        if arrival.what == END:
            self.ended = True
            self.wake()
        else:
            self.get(arrival.data)


class DrainEnd(ReadEnd):
    """Where all that is written is taken at once."""

    drain: Callable[[bytes], object]

    def get(self, data: bytes, *, is_open: bool = True) -> None:
        self.drain(data)


class WriteEnd(StreamSocket):
    """Where a pipe is written."""

    @property
    def is_broken(self) -> bool:
        """Whether nobody reads any longer."""
        return self.out.target.closed

    @property
    def _room(self) -> int:
        return CAPACITY_BYTES - self.out.load - len(self.out.target.buffer)

    @property
    def is_crowded(self) -> bool:
        """Whether the writer has to wait."""
        return self._room < WHOLE_BYTES

    def readiness(self) -> int:
        if self.is_broken:
            return BOTH
        return 0 if self.is_crowded else WRITE

    def receive(self, size: int, peek: bool = False) -> tuple[bytes, Any]:
        raise failure(errno.EBADF)

    def send(self, data: memoryview) -> int:
        if self.is_broken:
            raise failure(errno.EPIPE)
        room = self._room
        if not room or room < len(data) <= WHOLE_BYTES:
            raise failure(errno.EAGAIN)
        piece = bytes(data[:room])
        self.kernel.put(self.out, BYTES, piece)
        return len(piece)

    def close(self) -> None:
        if not self.closed:
            KernelSocket.close(self)
            if not self.is_broken:
                self.kernel.put(self.out, END)

    def vanish(self) -> None:
        self.close()


class WatchEnd(StreamSocket):
    """What a process has of another that it has started, as a pidfd of Linux: it is ready when that one has ended."""

    code: int | None = None
    """How it has ended, as far as is known here."""
    pipes: tuple[WriteEnd, ...] = ()
    """Those of the other one: what it wrote is there when it ends."""

    def readiness(self) -> int:
        return 0 if self.code is None else READ

    def takes(self, what: str) -> bool:
        return not any(end.out.flight for end in self.pipes)

    def arrived(self, arrival: Incoming) -> None:
        self.code = int(arrival.data)
        self.wake()

    def tell(self, signal: str) -> None:
        """Send it a signal. One that has ended is not told."""
        if not self.out.target.closed:
            self.kernel.put(self.out, signal)

    def close(self) -> None:
        if not self.closed:
            KernelSocket.close(self)

    def vanish(self) -> None:
        self.close()

    def told(self) -> object:
        return super().told(), self.code


class TetherEnd(StreamSocket):
    """What a process has of itself: signals come here, and when it is closed the process has ended."""

    code = KILLED
    """How it ends."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.signals: list[str] = []

    def readiness(self) -> int:
        return READ if self.signals else 0

    def takes(self, what: str) -> bool:
        return True

    def arrived(self, arrival: Incoming) -> None:
        self.signals.append(arrival.what)
        self.wake()

    def receive(self, size: int, peek: bool = False) -> tuple[bytes, Any]:
        self.changed()
        return self.signals.pop(0).encode(), None

    def close(self) -> None:
        if not self.closed:
            self.kernel.traffic.drop(self.into)
            KernelSocket.close(self)
            self.kernel.put(self.out, EXIT, str(self.code).encode())

    def vanish(self) -> None:
        self.code = KILLED
        self.close()

    def told(self) -> object:
        return super().told(), self.signals, self.code


class PipeFile:
    """The end of a pipe that a program or its loop holds."""

    def __init__(self, end: StreamSocket) -> None:
        self.end = end
        self.closed = False

    def __repr__(self) -> str:
        return f"<a pipe of {self.end.owner}>"

    def fileno(self) -> int:
        if self.closed:
            raise ValueError("I/O operation on closed file")
        return self.end.fd

    def close(self) -> None:
        self.closed = True
        self.end.close()
