"""Who is there beside the program itself: handlers at addresses, which can crash and come back, and its processes."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sim.base.errors import ModelError
from sim.base.values import describe
from sim.live.handles import task_of

if TYPE_CHECKING:
    from ssl import SSLContext

    from sim.live.execution import Execution
    from sim.live.stage import Handler

BACKLOG = 100
_ADDRESS = re.compile(r"(?:(?P<scheme>[a-z]+)://)?(?P<host>[\w.-]+):(?P<port>\d{1,5})")


@dataclass(kw_only=True)
class Party:
    """One of them."""

    name: str
    up: bool = False
    gone: bool = False
    """Whether it never comes back."""

    def lost(self) -> None:
        """All that ran for it is."""


@dataclass(kw_only=True)
class Server(Party):
    """One that listens."""

    address: str | tuple[str, int]
    handler: Handler
    tls: SSLContext | None = None
    """With what its network does TLS for it, if it does."""


class Servers:
    """Those of one run, by name."""

    def __init__(self, run: Execution) -> None:
        self._run = run
        self._all: dict[str, Party] = {}
        self.any_down = False
        """Whether one has crashed that comes back."""

    def __contains__(self, name: object) -> bool:
        return name in self._all

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def up(self) -> list[Party]:
        """Those that run."""
        return [server for server in self._all.values() if server.up]

    def down(self) -> list[Party]:
        """Those that have crashed, and come back."""
        return [server for server in self._all.values() if not server.up and not server.gone]

    def add(self, address: object, handler: Handler, name: str | None, *, tls: bool = False) -> str:
        """A new one, which runs from now on; the name that it has. With `tls` its network does TLS for it. Raises `ModelError`
        for what is not an address."""
        where, called = parsed(address)
        server = Server(name=self._run.names.new(name or called), address=where, handler=handler)
        if tls:
            if isinstance(where, str):
                raise ModelError(f"world.serve: TLS is for a host; {where} is a path: leave out tls=True")
            server.tls = self._run.certified(where[0])
        self._all[server.name] = server
        self._run.kernel.name_address(where, server.name)
        self.start(server.name)
        return server.name

    def admit(self, process: Party) -> None:
        """A process runs from now on. When it ends or crashes it does not come back."""
        process.up = process.gone = True
        self._all[process.name] = process

    def start(self, name: str) -> None:
        """It listens. Raises `LookupError` for one that is not there."""
        server, run = self._all[name], self._run
        if not isinstance(server, Server):
            raise LookupError(name)
        before, run.owner = run.owner, name
        try:
            family = socket.AF_INET if isinstance(server.address, tuple) else socket.AF_UNIX
            sock = run.kernel.socket(family, socket.SOCK_STREAM)
            sock.setblocking(False)
            sock.bind(server.address)
            sock.listen(BACKLOG)
            if server.tls is not None:
                run.kernel.seal(sock, server.tls)
            serving = asyncio.start_server if family == socket.AF_INET else asyncio.start_unix_server
            run.spawn(f"{name}/serving", serving(server.handler, sock=sock), owner=name)
        finally:
            run.owner = before
        server.up = True
        self.any_down = bool(self.down())

    def crash(self, name: str, *, for_good: bool) -> None:
        """All that runs for it is lost where it stands; nothing of it runs to its end. Raises `LookupError` for one that is
        not up."""
        party = self._all[name]
        if not party.up:
            raise LookupError(name)
        party.gone |= for_good
        self._lose(party)
        self._run.kernel.crash(name)

    def end(self, process: Party) -> None:
        """A process ends, and with it all that still runs for it."""
        self._lose(process)
        self._run.kernel.leave(process.name)

    def _lose(self, party: Party) -> None:
        name, run = party.name, self._run
        party.up = False
        self.any_down = bool(self.down())
        for task in run.tasks:
            if task.root == name and not task.done():
                task.gone = True
        for handle in (*run.loop._ready, *run.loop._scheduled):
            if getattr(handle, "owner", "") == name and task_of(handle) is None:
                handle.cancel()
        run.threads.crash(name)
        run.left_open.lose(name)
        party.lost()


def parsed(address: object) -> tuple[str | tuple[str, int], str]:
    """Where a server listens, and what it is called if nobody says."""
    if isinstance(address, tuple) and len(address) == 2 and isinstance(address[0], str) and isinstance(address[1], int):
        address = f"{address[0]}:{address[1]}"
    if isinstance(address, str) and "/" in address and "://" not in address:
        return address, re.sub(r"\W+", "-", address.rpartition("/")[2].partition(".")[0]).strip("-") or "server"
    match = _ADDRESS.fullmatch(address.rstrip("/")) if isinstance(address, str) else None
    if match is None or not 0 < int(match["port"]) < 65_536:
        raise ModelError(
            f"world.serve: {describe(address)} is not an address; write host:port, such as redis:6379, or the path of a socket"
        )
    return (match["host"], int(match["port"])), match["host"].partition(".")[0]
