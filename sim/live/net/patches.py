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
from typing import TYPE_CHECKING, Any

from sim.live.net.polling import SimPoll, select_now
from sim.live.net.sim_socket import REAL_NEW, SimSocket, bare_socket

if TYPE_CHECKING:
    from sim.live.net.kernel import Kernel

Replacement = tuple[Any, str, Any]

_ABSENT = object()
HOST = "localhost"
"""What the machine of a run is called."""


def replacements(kernel: Kernel) -> list[Replacement]:
    """(object, attribute, what stands for it) for each name that leads to the real network."""
    thread = threading.get_ident()
    names = kernel.names

    def here(ours: Callable[..., Any], real: Callable[..., Any]) -> Callable[..., Any]:
        def chosen(*args: Any, **named: Any) -> Any:
            return (ours if threading.get_ident() == thread else real)(*args, **named)

        chosen.__name__ = getattr(real, "__name__", "chosen")
        return chosen

    def new(cls: type[Any], *args: Any, **named: Any) -> Any:
        if threading.get_ident() != thread:
            return REAL_NEW(cls)
        if cls is not socket.socket and cls is not SimSocket:
            raise kernel.refusal(
                f"{cls.__name__} over a socket waits, and with it the loop: use ssl= of asyncio's connections"
            )
        return bare_socket(kernel)

    def create_connection(address: Any, *args: Any, **named: Any) -> Any:
        raise kernel.refusal("socket.create_connection waits, and with it the loop: use asyncio.open_connection")

    def fromfd(fd: int, *args: Any) -> Any:
        raise kernel.refusal("socket.fromfd: a socket of a run has one descriptor; hand the socket itself on")

    def by_name(host: str) -> str:
        return names.resolve(host or HOST, socket.AF_INET)[1]

    def by_name_ex(host: str) -> tuple[str, list[str], list[str]]:
        return host, [], [by_name(host)]

    def by_address(address: str) -> tuple[str, list[str], list[str]]:
        return names.host(names.resolve(address)[1]), [], [names.resolve(address)[1]]

    ours: dict[str, Callable[..., Any]] = {
        "socketpair": kernel.socketpair,
        "create_connection": create_connection,
        "fromfd": fromfd,
        "getaddrinfo": names.getaddrinfo,
        "getnameinfo": names.getnameinfo,
        "gethostbyname": by_name,
        "gethostbyname_ex": by_name_ex,
        "gethostbyaddr": by_address,
        "gethostname": lambda: HOST,
        "getfqdn": lambda name="": names.host(name) if name else HOST,
    }
    found: list[Replacement] = [(socket.socket, "__new__", staticmethod(new))]
    found += [(socket, name, here(ours[name], getattr(socket, name))) for name in ours]
    found.append((select, "select", here(lambda *args: select_now(kernel, *args), select.select)))
    found.append((select, "poll", here(lambda: SimPoll(kernel), select.poll)))
    return found


@contextmanager
def patched(kernel: Kernel) -> Iterator[None]:
    """Within it, the sockets of this thread are those of `kernel`."""
    undo: list[Replacement] = []
    try:
        for where, name, replacement in replacements(kernel):
            undo.append((where, name, vars(where).get(name, _ABSENT)))
            setattr(where, name, replacement)
        yield
    finally:
        for where, name, before in reversed(undo):
            if before is _ABSENT:
                delattr(where, name)
            else:
                setattr(where, name, before)
