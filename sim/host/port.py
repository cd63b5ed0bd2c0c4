"""Where other hosts bring what they send to processes of this one."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sim.base.errors import ConfigError, SimError
from sim.host import wire
from sim.host.link_address import Tls, endpoint_of, is_foreign, listening

if TYPE_CHECKING:
    from sim.host.host import Host

PEERS = 64
"""How many may be connected at once."""
IDLE_S = 300.0
"""How long a connection is kept over which nothing comes: who has something to send again connects again."""
TOLD_S = 60.0
"""The same line is not told again for so long, however often somebody knocks."""


class Port:
    """Takes what comes in at an address, for `Host(listen=...)`: `unix:/path`, or `tcp:host:port` with any port for 0.

    What comes is acknowledged once it is on the disk. Raises `ConfigError` for what is not an address; plain TCP for other
    machines has to be asked for (`insecure`).
    """

    def __init__(self, address: str, *, tls: Tls | None = None, insecure: bool = False) -> None:
        self.endpoint = endpoint_of(address, tls, insecure=insecure, listens=True)
        self._tls = None if tls is None else tls.context(listens=True)
        self._socket: socket.socket | None = None
        self._lock: int | None = None
        self._made: tuple[int, int] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._told: dict[str, float] = {}

    @property
    def address(self) -> str:
        """Where it really listens: with the port that the system has chosen."""
        if self._socket is None or self.endpoint.path:
            return self.endpoint.address
        host = self.endpoint.host
        return f"tcp:{f'[{host}]' if ':' in host else host}:{self._socket.getsockname()[1]}"

    async def open(self, host: Host) -> None:
        """Let others in. Raises `ConfigError`."""
        if self._socket is not None:
            raise ConfigError(f"{self.endpoint.address}: has a host already; make one for each")
        self._socket, self._lock = listening(self.endpoint)
        self._socket.setblocking(False)
        if self.endpoint.path:
            self._made = _which(self.endpoint.path)
        self._listen(host)

    async def close(self) -> None:
        """Nobody comes in any more."""
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._socket is not None:
            self._socket.close()
            self._socket = None
            if self._made is not None and self._made == _which(self.endpoint.path):
                Path(self.endpoint.path).unlink()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _listen(self, host: Host) -> None:
        if self._socket is not None:
            asyncio.get_running_loop().add_reader(self._socket, self._accept, host, self._socket)

    def _accept(self, host: Host, listens: socket.socket) -> None:
        """Somebody knocks."""
        loop = asyncio.get_running_loop()
        try:
            connected, _ = listens.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError as error:
            self._tell(host, f"nobody can come in: {error.strerror}")
            loop.remove_reader(listens)
            loop.call_later(1, self._listen, host)
            return
        if len(self._tasks) >= PEERS:
            self._tell(host, f"{PEERS} are connected; who comes now is cut off")
            connected.close()
            return
        connected.setblocking(False)
        task = loop.create_task(self._serve(host, connected))
        self._tasks.add(task)
        task.add_done_callback(partial(self._let_go, connected))

    def _let_go(self, connected: socket.socket, task: asyncio.Task[None]) -> None:
        """Also of one who came when all was over, before anybody looked at it."""
        self._tasks.discard(task)
        connected.close()

    async def _serve(self, host: Host, connected: socket.socket) -> None:
        """One who has connected, until there is an end of it."""
        writer: asyncio.StreamWriter | None = None
        try:
            if is_foreign(connected):
                raise wire.Garbled("a process of another user")
            if connected.family != getattr(socket, "AF_UNIX", None):
                connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            reader, writer = await self._streams(connected)
            await _talk(host, reader, writer)
        except TimeoutError:
            self._tell(host, "a peer was cut off: nothing came, or nothing more")
        except wire.Garbled as error:
            self._tell(host, f"a peer was cut off: {error}")
        except ssl.SSLError as error:
            self._tell(host, f"a peer was cut off: no TLS with a certificate of ours: {error.reason or error}")
        except OSError:
            pass  # it has gone
        except SimError as error:
            self._tell(host, error.mistakes[0])  # the journal cannot be read: whoever works on it says so, too
        finally:
            if writer is not None:
                writer.transport.abort()
                with contextlib.suppress(OSError, TimeoutError):
                    async with asyncio.timeout(1):
                        await writer.wait_closed()

    async def _streams(self, connected: socket.socket) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(loop=loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        handshake = {} if self._tls is None else {"ssl_handshake_timeout": wire.GREETING_S}
        transport, _ = await loop.connect_accepted_socket(lambda: protocol, connected, ssl=self._tls, **handshake)
        return reader, asyncio.StreamWriter(transport, protocol, reader, loop)

    def _tell(self, host: Host, line: str) -> None:
        now_s = asyncio.get_running_loop().time()
        self._told = {one: at_s for one, at_s in self._told.items() if at_s > now_s - TOLD_S}
        if line not in self._told and len(self._told) < PEERS:
            self._told[line] = now_s
            host.tell(f"{self.address}: {line}")


async def _talk(host: Host, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Greet, and take what comes, each at once, and acknowledge it."""

    async def say(frame: bytes) -> None:
        writer.write(frame)
        async with asyncio.timeout(wire.QUIET_S):
            await writer.drain()

    sender = wire.sender_of(await wire.read_frame(reader, wire.GREETING_MAX, wire.GREETING_S))
    if refused := host.greet(sender):
        await say(wire.frame_of({"no": refused}))
        raise wire.Garbled(f"{sender.journal[:8]!r}: {refused}")
    await say(wire.frame_of(wire.greeting(host.journal.id, host.model)))
    while True:
        try:
            said = await wire.read_frame(reader, wire.FRAME_MAX, IDLE_S)
        except wire.Idle:
            return
        if said is None:
            return
        receipt = host.receive(wire.parcel_of(said, sender))
        await say(wire.receipt_frame(receipt))
        await asyncio.sleep(0)  # others have their turn


def _which(path: str) -> tuple[int, int] | None:
    try:
        found = Path(path).lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
