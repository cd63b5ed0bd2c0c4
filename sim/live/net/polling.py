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
    files = [list(each) for each in (readers, writers, others)]
    wanted = [(_descriptor(file), want) for each, want in zip(files, (READ, WRITE, 0), strict=True) for file in each]
    if timeout != 0 and not _any_ready(kernel, wanted):
        _wait(kernel, "select.select", wanted, timeout)
    return tuple(  # type: ignore[return-value]
        [file for file in each if (_readiness(kernel, _descriptor(file)) or 0) & want]
        for each, want in zip(files, (READ, WRITE, 0), strict=True)
    )


def _any_ready(kernel: Kernel, wanted: Iterable[tuple[int, int]]) -> bool:
    """Whether any of these descriptors is ready as it should be, or is closed."""
    ends = [(kernel.files.get(fd), want) for fd, want in wanted]
    return any(end is None or end.readiness() & want for end, want in ends)


def _wait(kernel: Kernel, what: str, wanted: list[tuple[int, int]], timeout_s: float | None) -> None:
    """A thread waits until one of them is."""
    if kernel.wait is None:
        raise kernel.refusal(f"{what} {_INSTEAD}")
    kernel.wait(lambda: _any_ready(kernel, wanted), what, timeout_s)


def _wants(mask: int) -> int:
    return (READ if mask & select.POLLIN else 0) | (WRITE if mask & select.POLLOUT else 0)


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
        wanted = [(fd, _wants(mask)) for fd, mask in self._wanted.items()]
        if timeout != 0 and not _any_ready(self._kernel, wanted):
            forever = timeout is None or timeout < 0
            _wait(self._kernel, "select.poll", wanted, None if forever else timeout / 1000)  # type: ignore[operator]
        return [(fd, mask) for fd, wanted in self._wanted.items() if (mask := self._ready(fd, wanted))]

    def _ready(self, fd: int, wanted: int) -> int:
        ready = _readiness(self._kernel, fd)
        if ready is None:
            return select.POLLNVAL
        return wanted & ((select.POLLIN if ready & READ else 0) | (select.POLLOUT if ready & WRITE else 0))
