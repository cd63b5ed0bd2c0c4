"""Names of hosts, and ports: resolved within the run, the same in each.

A host that was named, or that somebody listens on, has an address of its own, in the order in which they were first named.
"""

from __future__ import annotations

import socket
from typing import Any

LOOPBACK, LOOPBACK_6 = "127.0.0.1", "::1"
ANY, ANY_6 = "0.0.0.0", "::"  # noqa: S104  no socket of the machine is bound
FIRST_PORT = 49_152
"""The first of the ports that are given to whoever asks for none."""
SERVICES = {"http": 80, "https": 443, "domain": 53, "smtp": 25, "ssh": 22, "ftp": 21}

Info = tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]

_PROTOCOLS = (
    (socket.SOCK_STREAM, socket.IPPROTO_TCP),
    (socket.SOCK_DGRAM, socket.IPPROTO_UDP),
    (socket.SOCK_RAW, 0),
)


def family_of(host: str) -> socket.AddressFamily | None:
    """The family of an address that is written in numbers; None: it is a name."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host.partition("%")[0])
        except (OSError, ValueError):
            continue
        return family
    return None


def unknown_host() -> socket.gaierror:
    return socket.gaierror(socket.EAI_NONAME, "Name or service not known")


class HostNames:
    """What hosts are called in one run."""

    def __init__(self) -> None:
        self._addresses: dict[str, str] = {}
        self._hosts: dict[str, str] = {}
        self._ports = FIRST_PORT

    def add(self, host: str) -> str:
        """The address of `host`; one that is new gets the next."""
        if host == "localhost":
            return LOOPBACK
        if family_of(host) is not None:
            return host
        name = host.lower()
        if name not in self._addresses:
            number = len(self._addresses) + 1
            self._addresses[name] = f"10.0.{number >> 8}.{number & 255}"
            self._hosts[self._addresses[name]] = name
        return self._addresses[name]

    def host(self, address: str) -> str:
        """What the host at `address` is called."""
        return "localhost" if address in (LOOPBACK, LOOPBACK_6) else self._hosts.get(address, address)

    def next_port(self) -> int:
        self._ports += 1
        return self._ports - 1

    def resolve(self, host: str, family: int = 0) -> tuple[socket.AddressFamily, str]:
        """The family and the address of `host`. Raises `socket.gaierror` if nobody knows it."""
        written = family_of(host)
        if written is None:
            known = self._addresses.get(host.lower())
            if host == "localhost":
                known = LOOPBACK_6 if family == socket.AF_INET6 else LOOPBACK
            if known is None:
                raise unknown_host()
            host, written = known, family_of(known) or socket.AF_INET
        if family not in (0, written):
            raise socket.gaierror(socket.EAI_ADDRFAMILY, "Address family for hostname not supported")
        return written, host

    def getaddrinfo(
        self,
        host: str | bytes | None,
        port: str | bytes | int | None,
        family: int = 0,
        type: int = 0,
        proto: int = 0,
        flags: int = 0,
    ) -> list[Info]:
        """As `socket.getaddrinfo`. Whoever asks for an address to listen on makes it known."""
        if isinstance(host, bytes):
            host = host.decode("ascii")
        passive = bool(flags & socket.AI_PASSIVE)
        if not host:
            host = (ANY if passive else LOOPBACK) if family != socket.AF_INET6 else (ANY_6 if passive else LOOPBACK_6)
        elif flags & socket.AI_NUMERICHOST and family_of(host) is None:
            raise unknown_host()
        elif passive:
            self.add(host)
        found, address = self.resolve(host, family)
        where: Any = (address, _port(port)) if found == socket.AF_INET else (address, _port(port), 0, 0)
        canonical = self.host(address) if flags & socket.AI_CANONNAME else ""
        infos = [
            (found, kind, number, canonical, where)
            for kind, number in _PROTOCOLS
            if type in (0, kind) and (proto in (0, number) or kind == socket.SOCK_RAW)
        ]
        if not infos:
            raise socket.gaierror(socket.EAI_SOCKTYPE, "ai_socktype not supported")
        return infos

    def getnameinfo(self, sockaddr: Any, flags: int = 0) -> tuple[str, str]:
        """As `socket.getnameinfo`; ports stay numbers."""
        host, port = sockaddr[0], sockaddr[1]
        _, address = self.resolve(host)
        return address if flags & socket.NI_NUMERICHOST else self.host(address), str(port)


def _port(port: str | bytes | int | None) -> int:
    if isinstance(port, bytes):
        port = port.decode("ascii")
    if port is None or port == "":
        return 0
    if isinstance(port, str) and not port.isdecimal():
        if port not in SERVICES:
            raise socket.gaierror(socket.EAI_SERVICE, "Servname not supported for ai_socktype")
        return SERVICES[port]
    return int(port)
