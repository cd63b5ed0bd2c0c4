"""`select.select` and `select.poll` for sockets of a run: libraries ask them whether an idle connection is still there."""

from __future__ import annotations

import select
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from sim.live.net.kernel_socket import READ, WRITE

if TYPE_CHECKING:
    from sim.live.net.kernel import Kernel

_INSTEAD = "waits for sockets, and with it the loop: use asyncio's streams, or a timeout of 0"


def _descriptor(file: Any) -> int:
    return file if isinstance(file, int) else int(file.fileno())


def _readiness(kernel: Kernel, fd: int) -> int | None:
    end = kernel.files.get(fd)
    ready = None if end is None else end.readiness()
    kernel.meets(fd, ready)
    return ready


def select_now(
    kernel: Kernel, readers: Iterable[Any], writers: Iterable[Any], others: Iterable[Any], timeout: float | None = None
) -> tuple[list[Any], list[Any], list[Any]]:
    """As `select.select`, of what is ready now."""
    found = tuple(
        [file for file in files if (_readiness(kernel, _descriptor(file)) or 0) & want]
        for files, want in ((readers, READ), (writers, WRITE), (others, 0))
    )
    if timeout != 0 and not any(found):
        raise kernel.refusal(f"select.select {_INSTEAD}")
    return found  # type: ignore[return-value]


class SimPoll:
    """As `select.poll`."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._wanted: dict[int, int] = {}

    def register(self, file: Any, mask: int = select.POLLIN | select.POLLPRI | select.POLLOUT) -> None:
        self._wanted[_descriptor(file)] = mask

    def modify(self, file: Any, mask: int) -> None:
        self._wanted[_descriptor(file)] = mask

    def unregister(self, file: Any) -> None:
        del self._wanted[_descriptor(file)]

    def poll(self, timeout: float | None = None) -> list[tuple[int, int]]:
        found = [(fd, mask) for fd, wanted in self._wanted.items() if (mask := self._ready(fd, wanted))]
        if timeout != 0 and not found:
            raise self._kernel.refusal(f"select.poll {_INSTEAD}")
        return found

    def _ready(self, fd: int, wanted: int) -> int:
        ready = _readiness(self._kernel, fd)
        if ready is None:
            return select.POLLNVAL
        return wanted & ((select.POLLIN if ready & READ else 0) | (select.POLLOUT if ready & WRITE else 0))
