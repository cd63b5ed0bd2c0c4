"""The standard library's loop over a kernel. Only what would leave the process is replaced: a thread that resolves names,
and files at the paths of Unix sockets."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from sim.base.mixer import key64
from sim.live.net.pipe_transports import ReadPipeTransport, WritePipeTransport
from sim.live.net.pipes import PipeFile

if TYPE_CHECKING:
    from sim.live.net.kernel import Kernel

_CLEANS = sys.version_info >= (3, 13)
"""Whether a server removes the path that it listened on."""


class FoundAddress(tuple):  # type: ignore[type-arg]
    """What a name resolves to. A server makes a set of those, whose order is then one in every process."""

    __slots__ = ()

    def __hash__(self) -> int:
        return key64(repr(self).encode())


class NetworkLoop(asyncio.SelectorEventLoop):
    """A stock loop whose sockets are those of `kernel`."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self._unix_paths: dict[Any, str] = {}
        self.pipes: WeakSet[Any] = WeakSet()
        """The transports of pipes."""
        super().__init__(kernel.selector)

    async def getaddrinfo(
        self, host: Any, port: Any, *, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0
    ) -> Any:
        return await self._resolved(self.kernel.names.getaddrinfo, host, port, family, type, proto, flags)

    async def _ensure_resolved(self, *args: Any, **named: Any) -> list[FoundAddress]:
        return [FoundAddress(each) for each in await super()._ensure_resolved(*args, **named)]  # type: ignore[misc]

    async def getnameinfo(self, sockaddr: Any, flags: int = 0) -> Any:
        return await self._resolved(self.kernel.names.getnameinfo, sockaddr, flags)

    async def _resolved(self, resolve: Callable[..., Any], *args: Any) -> Any:
        """What `resolve` gives, as soon as the fastest thread could have brought it: in the next turn."""
        future = self.create_future()

        def done() -> None:
            if future.done():
                return
            try:
                future.set_result(resolve(*args))
            except OSError as error:
                future.set_exception(error)

        self.call_soon(done)
        return await future

    async def create_unix_server(
        self, protocol_factory: Any, path: Any = None, *, sock: Any = None, cleanup_socket: bool = True, **rest: Any
    ) -> Any:
        keep: dict[str, Any] = {"cleanup_socket": False} if _CLEANS else {}
        if path is None or sock is not None:
            return await super().create_unix_server(protocol_factory, path, sock=sock, **keep, **rest)
        sock = self._bound(path, socket.SOCK_STREAM)
        try:
            server = await super().create_unix_server(protocol_factory, sock=sock, **keep, **rest)
        except BaseException:
            sock.close()
            raise
        if _CLEANS and cleanup_socket:
            self._unix_paths[sock] = sock.getsockname()
        return server

    async def create_datagram_endpoint(
        self, protocol_factory: Any, local_addr: Any = None, remote_addr: Any = None, *, family: int = 0, **rest: Any
    ) -> Any:
        if family != getattr(socket, "AF_UNIX", None) or not local_addr or rest.get("sock") is not None:
            return await super().create_datagram_endpoint(
                protocol_factory, local_addr, remote_addr, family=family, **rest
            )
        sock = self._bound(local_addr, socket.SOCK_DGRAM)
        try:
            if remote_addr:
                await self.sock_connect(sock, remote_addr)
            return await super().create_datagram_endpoint(protocol_factory, sock=sock)
        except BaseException:
            sock.close()
            raise

    def _bound(self, path: Any, kind: int) -> Any:
        """A socket at `path`; a server of before is left where it is, without a path, as with files."""
        path = os.fspath(path)
        self.kernel.addresses.unlink(path)
        sock = self.kernel.socket(socket.AF_UNIX, kind)
        sock.setblocking(False)
        sock.bind(path)
        return sock

    def _stop_serving(self, sock: Any) -> None:
        path = self._unix_paths.pop(sock, None)
        if path is not None:
            self.kernel.addresses.unlink(path)
        super()._stop_serving(sock)  # type: ignore[misc]

    def _make_read_pipe_transport(self, pipe: Any, *rest: Any, **named: Any) -> Any:
        return self._piped(ReadPipeTransport, "read", pipe, *rest, **named)

    def _make_write_pipe_transport(self, pipe: Any, *rest: Any, **named: Any) -> Any:
        return self._piped(WritePipeTransport, "write", pipe, *rest, **named)

    def _piped(self, kind: Any, what: str, pipe: Any, *rest: Any, **named: Any) -> Any:
        if not isinstance(pipe, PipeFile):
            raise self.kernel.refusal(
                f"loop.connect_{what}_pipe: the pipes of a run are those of its processes; connect to world.serve instead"
            )
        transport = kind(self, pipe, *rest, **named)
        self.pipes.add(transport)
        return transport

    def leave_pipes(self) -> None:
        """What is still open says nothing about it."""
        for transport in self.pipes:
            transport._pipe, transport._closing = None, True

    async def _sock_sendfile_native(self, sock: Any, file: Any, offset: int, count: int | None) -> int:
        raise asyncio.SendfileNotAvailableError("no descriptor of a run can be given to os.sendfile")
