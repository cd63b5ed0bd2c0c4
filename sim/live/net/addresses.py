"""Addresses: the one form of each, who is bound to it, and what whoever is there is called."""

from __future__ import annotations

import errno
import os
import socket
from typing import Any

from sim.live.net.host_names import ANY, ANY_6, LOOPBACK, LOOPBACK_6, HostNames
from sim.live.net.kernel_socket import KernelSocket, failure

Key = tuple[int, Any]
"""The kind of a socket, and a host and a port, or a path."""

_REUSE = socket.SOL_SOCKET, getattr(socket, "SO_REUSEPORT", -1)
_ONLY_6 = socket.IPPROTO_IPV6, socket.IPV6_V6ONLY


def covers(pattern: str, name: str) -> bool:
    """Whether `pattern` means `name`: itself, what is numbered after it (`client#2`), what belongs to it
    (`client/fetch`)."""
    return pattern == name or (name.startswith(pattern) and name[len(pattern)] in "#/")


class Addresses:
    """The addresses of one run."""

    def __init__(self) -> None:
        self.names = HostNames()
        self._called: dict[Any, str] = {}
        self._bound: dict[Key, KernelSocket] = {}

    # --- what they are called -----------------------------------------------------------------------

    def name(self, address: tuple[str, int] | str, name: str) -> None:
        """Whoever is at `address` is called `name`."""
        if isinstance(address, str):
            self._called[address] = name
        else:
            self._called[self.names.add(address[0]), int(address[1])] = name

    def called(self, end: KernelSocket, address: Any) -> str:
        """What whoever is at `address` is called, for one of the kind of `end`."""
        given = self._called.get(_place(end.family, address))
        if given is not None:
            return given
        found = self.find(end, address)
        if found is not None:
            return found.owner
        return str(address) if end.is_unix else f"{self.names.host(address[0])}:{address[1]}"

    # --- their form ---------------------------------------------------------------------------------

    def resolved(self, family: int, address: Any) -> Any:
        """`address`, to which something is sent, as the operating system has it: hosts are numbers. Raises
        `socket.gaierror` for a host that nobody knows."""
        if family == socket.AF_UNIX:
            return _path(address)
        _, host = self.names.resolve(address[0] or LOOPBACK, family)
        return _whole(family, {ANY: LOOPBACK, ANY_6: LOOPBACK_6}.get(host, host), address)

    def nowhere(self, family: int, peer: Any = None) -> Any:
        """The address of who did not ask for one: of any, or of the side that faces `peer`."""
        if family == socket.AF_UNIX:
            return ""
        if family == socket.AF_INET:
            return (ANY if peer is None else LOOPBACK, 0)
        return (ANY_6 if peer is None else LOOPBACK_6, 0, 0, 0)

    def seen(self, sender: KernelSocket, expected: Any) -> Any:
        """The address of `sender` as a receiver sees it that expects to hear from `expected`: who is bound to any address
        sends from the one that it is reached at."""
        local = sender.local
        if sender.is_unix:
            return local or None
        if local[0] not in (ANY, ANY_6):
            return local
        if expected is not None and expected[1] == local[1]:
            return expected
        return (LOOPBACK if local[0] == ANY else LOOPBACK_6, *local[1:])

    # --- who is bound to them -----------------------------------------------------------------------

    def bind(self, end: KernelSocket, address: Any) -> None:
        """`end` is at `address` from now on; whoever listens there under a name given before is called so. A host that is
        new becomes known."""
        if end.local:
            raise failure(errno.EINVAL)
        local = _path(address) if end.is_unix else self._own(end, address)
        key = end.kind, _place(end.family, local)
        if key in self._bound and not end.options.get(_REUSE):
            raise failure(errno.EADDRINUSE)
        end.local = local
        if local:
            self._bound[key] = end
        end.owner = self._called.get(key[1], end.owner)

    def _own(self, end: KernelSocket, address: Any) -> Any:
        host, port = address[0], int(address[1])
        if host:
            self.names.add(host)
        _, host = self.names.resolve(host or (ANY if end.family == socket.AF_INET else ANY_6), end.family)
        while port == 0:
            free = self.names.next_port()
            port = (
                0 if any(not isinstance(place, str | bytes) and place[1] == free for _, place in self._bound) else free
            )
        return _whole(end.family, host, (host, port, *address[2:]))

    def find(self, end: KernelSocket, address: Any) -> KernelSocket | None:
        """Who is found at `address` by `end`."""
        places = [_place(end.family, address)]
        if not end.is_unix:
            places += [(ANY, address[1])] * (end.family == socket.AF_INET) + [(ANY_6, address[1])]
        for place in places:
            found = self._bound.get((end.kind, place))
            if found is not None and not (found.family != end.family and found.options.get(_ONLY_6)):
                return found
        return None

    def reach(self, end: KernelSocket, path: Any, kind: type[KernelSocket]) -> None:
        """Within one machine it is known at once whether somebody of this kind is at `path`. Raises what the operating
        system would."""
        found = self.find(end, path)
        if found is None:
            raise failure(errno.ENOENT)
        if found.closed or not isinstance(found, kind):
            raise failure(errno.ECONNREFUSED)

    def replace(self, old: KernelSocket, new: KernelSocket) -> None:
        for key in [key for key, end in self._bound.items() if end is old]:
            self._bound[key] = new

    def release(self, end: KernelSocket) -> None:
        """The address of `end` is free again. A path stays until it is unlinked."""
        if not end.is_unix:
            for key in [key for key, bound in self._bound.items() if bound is end]:
                del self._bound[key]

    def unlink(self, path: str) -> None:
        """The path of a Unix socket no longer leads anywhere."""
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            self._bound.pop((kind, _path(path)), None)

    def clear(self) -> None:
        self._bound.clear()


def _place(family: int, address: Any) -> Any:
    return address if family == socket.AF_UNIX else (address[0], address[1])


def _whole(family: int, host: str, address: Any) -> Any:
    port = int(address[1])
    return (host, port) if family == socket.AF_INET else (host, port, *(*address[2:], 0, 0)[:2])


def _path(address: Any) -> str | bytes:
    """A path as `getsockname` gives it: one that begins with a zero byte is abstract, and stays bytes."""
    path = os.fsencode(address)
    return path if path.startswith(b"\0") else os.fsdecode(path)
