"""What stands for the real network while a run lasts, in the thread of the run alone.

`socket.socket` itself stays: its `__new__` is replaced, so that sockets are simulated also where the class was bound at
import, and `isinstance` holds.
"""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from sim.live.net.polling import SimPoll, select_now
from sim.live.net.sim_socket import REAL_NEW, SimSocket, bare_socket

if TYPE_CHECKING:
    from sim.live.net.kernel import Kernel

Replacement = tuple[Any, str, Any]

_ABSENT = object()
HOST = "localhost"
"""What the machine of a run is called."""


def replacements(current: Callable[[], Kernel | None]) -> list[Replacement]:
    """(object, attribute, what stands for it) for each name that leads to the real network. `current` says whose sockets are
    those of the thread that asks; None: they are real."""

    def here(ours: Callable[[Kernel], Callable[..., Any]], real: Callable[..., Any]) -> Callable[..., Any]:
        def chosen(*args: Any, **named: Any) -> Any:
            kernel = current()
            return real(*args, **named) if kernel is None else ours(kernel)(*args, **named)

        chosen.__name__ = getattr(real, "__name__", "chosen")
        return chosen

    def new(cls: type[Any], *args: Any, **named: Any) -> Any:
        kernel = current()
        if kernel is None:
            return REAL_NEW(cls)
        if cls is not socket.socket and cls is not SimSocket:
            raise kernel.refusal(
                f"{cls.__name__} over a socket waits, and with it the loop: use ssl= of asyncio's connections"
            )
        return bare_socket(kernel)

    found: list[Replacement] = [(socket.socket, "__new__", staticmethod(new))]
    found += [(socket, name, here(ours, getattr(socket, name))) for name, ours in _OURS.items()]
    if find_spec("_ssl"):
        context = import_module("ssl").SSLContext
        found.append((context, "wrap_socket", here(_wraps, context.wrap_socket)))
    found.append((select, "select", here(lambda kernel: partial(select_now, kernel), select.select)))
    found.append((select, "poll", here(lambda kernel: lambda: SimPoll(kernel), select.poll)))
    return found


def _refuses(said: str) -> Callable[[Kernel], Callable[..., Any]]:
    def refused(kernel: Kernel) -> Callable[..., Any]:
        def refuse(*_: Any, **__: Any) -> Any:
            raise kernel.refusal(said)

        return refuse

    return refused


def _in_threads(real: Callable[..., Any], said: str) -> Callable[[Kernel], Callable[..., Any]]:
    """The real function, on simulated sockets, for threads; the loop's own code is refused it."""
    refuses = _refuses(said)
    return lambda kernel: refuses(kernel) if kernel.wait is None else real


def _wraps(kernel: Kernel) -> Callable[..., Any]:
    from sim.live.net.tls_socket import wrap_socket  # who has no `ssl` need not have it

    return partial(wrap_socket, kernel)


def _by_name(kernel: Kernel) -> Callable[[str], str]:
    return lambda host: kernel.names.resolve(host or HOST, socket.AF_INET)[1]


def _by_address(kernel: Kernel) -> Callable[[str], tuple[str, list[str], list[str]]]:
    def found(address: str) -> tuple[str, list[str], list[str]]:
        resolved = kernel.names.resolve(address)[1]
        return kernel.names.host(resolved), [], [resolved]

    return found


_OURS: dict[str, Callable[[Kernel], Callable[..., Any]]] = {
    "socketpair": lambda kernel: kernel.socketpair,
    "create_connection": _in_threads(
        socket.create_connection, "socket.create_connection waits, and with it the loop: use asyncio.open_connection"
    ),
    "fromfd": _refuses("socket.fromfd: a socket of a run has one descriptor; hand the socket itself on"),
    "getaddrinfo": lambda kernel: kernel.names.getaddrinfo,
    "getnameinfo": lambda kernel: kernel.names.getnameinfo,
    "gethostbyname": _by_name,
    "gethostbyname_ex": lambda kernel: lambda host: (host, [], [_by_name(kernel)(host)]),
    "gethostbyaddr": _by_address,
    "gethostname": lambda _: lambda: HOST,
    "getfqdn": lambda kernel: lambda name="": kernel.names.host(name) if name else HOST,
}
"""What stands for functions of the module `socket`, for each kernel."""


@contextmanager
def patched(kernel: Kernel) -> Iterator[None]:
    """Within it, the sockets of this thread are those of `kernel`."""
    thread = threading.get_ident()
    with installed(lambda: kernel if threading.get_ident() == thread else None):
        yield


@contextmanager
def installed(current: Callable[[], Kernel | None]) -> Iterator[None]:
    """Within it, sockets are those of the kernel that is `current`."""
    undo: list[Replacement] = []
    try:
        for where, name, replacement in replacements(current):
            undo.append((where, name, vars(where).get(name, _ABSENT)))
            setattr(where, name, replacement)
        yield
    finally:
        for where, name, before in reversed(undo):
            if before is _ABSENT:
                delattr(where, name)
            else:
                setattr(where, name, before)
