"""The standard library's own transports of pipes, over those of a run: what they ask of `os` is answered by the kernel."""

from __future__ import annotations

import errno
import os
import stat
from asyncio import events, unix_events
from collections.abc import Callable
from types import FunctionType, SimpleNamespace
from typing import TYPE_CHECKING, Any

from sim.live.net.kernel_socket import KernelSocket, failure

if TYPE_CHECKING:
    from sim.live.net.kernel import Kernel


def noted(kernel: Kernel, end: KernelSocket, what: Callable[..., Any], *args: Any) -> Any:
    """What `what`, a call of this end, gives; it is noted that the program has met it."""
    try:
        got = what(*args)
    except OSError as error:
        kernel.meets(end.fd, error.errno)
        raise
    kernel.meets(end.fd, got)
    return got


class _System:
    """What the transports of pipes ask of `os`, asked of the kernel of the loop that runs."""

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def fstat(self, fd: int) -> Any:
        return SimpleNamespace(st_mode=stat.S_IFIFO)

    def set_blocking(self, fd: int, blocking: bool) -> None:
        """None of them blocks."""

    def read(self, fd: int, size: int) -> bytes:
        kernel, end = _open_end(fd)
        return bytes(noted(kernel, end, lambda: end.receive(size)[0]))

    def write(self, fd: int, data: Any) -> int:
        kernel, end = _open_end(fd)
        return int(noted(kernel, end, end.send, memoryview(data).cast("B")))


def _open_end(fd: int) -> tuple[Kernel, KernelSocket]:
    loop: Any = events._get_running_loop()
    end = loop.kernel.files.get(fd)
    if end is None:
        raise failure(errno.EBADF)
    return loop.kernel, end


def _simulated(kind: Any) -> Any:
    """A transport of the standard library, as it stands, over pipes of a run."""
    names = {**vars(unix_events), "os": _System()}
    methods: dict[str, Any] = {"_sock_fd": property(lambda transport: transport._fileno)}
    for name, function in vars(kind).items():
        if isinstance(function, FunctionType) and "os" in function.__code__.co_names:
            own = FunctionType(function.__code__, names, name, function.__defaults__, function.__closure__)
            own.__kwdefaults__ = function.__kwdefaults__
            methods[name] = own
    return type(kind.__name__, (kind,), methods)


ReadPipeTransport = _simulated(unix_events._UnixReadPipeTransport)  # type: ignore[attr-defined]
WritePipeTransport = _simulated(unix_events._UnixWritePipeTransport)  # type: ignore[attr-defined]
