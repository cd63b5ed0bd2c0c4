"""Addresses: what sockets are bound to, in one form; and what whoever is there is called."""

from __future__ import annotations

import os
import socket
from typing import Any

from sim.live.net.names import ANY, ANY_6, LOOPBACK, LOOPBACK_6, Names

Key = tuple[int, Any]
"""The kind of a socket, and a host and a port or a path."""


def covers(pattern: str, name: str) -> bool:
    """Whether `pattern` means `name`: itself, what is numbered after it (`client#2`), what belongs to it
    (`client/fetch`)."""
    return pattern == name or (name.startswith(pattern) and name[len(pattern)] in "#/")


def is_part(name: str, owner: str) -> bool:
    return name == owner or name.startswith(f"{owner}/")


class Addresses:
    """The addresses of one run."""

    def __init__(self) -> None:
        self.names = Names()
        self._called: dict[Any, str] = {}

    def name(self, address: tuple[str, int] | str, name: str) -> None:
        """Whoever is at `address` is called `name`."""
        if isinstance(address, str):
            self._called[address] = name
        else:
            self._called[self.names.add(address[0]), int(address[1])] = name

    def called(self, key: Key) -> str | None:
        return self._called.get(key[1])

    def told(self, address: Any) -> str:
        """An address where nobody is, for people."""
        if not isinstance(address, tuple):
            return str(address)
        return f"{self.names.host(address[0])}:{address[1]}"

    def whole(self, family: int, address: Any, known: bool = True) -> Any:
        """`address` as the operating system has it: hosts are numbers. Raises `socket.gaierror` for a host that nobody
        knows, unless it is `known` by being named here."""
        if family == socket.AF_UNIX:
            path = os.fsdecode(os.fspath(address)) if not isinstance(address, bytes) else address
            return (
                path.encode() if isinstance(path, str) and path.startswith("\0") else os.fsdecode(path) if path else ""
            )
        host, port = address[0], int(address[1])
        if not host:
            host = ANY if family == socket.AF_INET else ANY_6
        elif not known:
            self.names.add(host)
        _, host = self.names.resolve(host, family)
        if known and host in (ANY, ANY_6):
            host = LOOPBACK if host == ANY else LOOPBACK_6
        return (host, port) if family == socket.AF_INET else (host, port, *(*address[2:], 0, 0)[:2])

    def nowhere(self, family: int, peer: Any = None) -> Any:
        """The address of who did not ask for one: of any, or of the side that faces `peer`."""
        if family == socket.AF_UNIX:
            return ""
        if family == socket.AF_INET:
            return (ANY if peer is None else LOOPBACK, 0)
        return (ANY_6 if peer is None else LOOPBACK_6, 0, 0, 0)

    def key(self, kind: int, family: int, address: Any) -> Key:
        return kind, address if family == socket.AF_UNIX else (address[0], address[1])

    def keys(self, kind: int, family: int, address: Any) -> list[Key]:
        """Where one may be bound who is found at `address`."""
        found = [self.key(kind, family, address)]
        if family == socket.AF_INET:
            found.append((kind, (ANY, address[1])))
        if family != socket.AF_UNIX:
            found.append((kind, (ANY_6, address[1])))
        return found
