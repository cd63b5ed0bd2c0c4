"""The sockets that programs hold while a run lasts.

They are instances of `socket.socket`, since code asks (`ssl`, anyio), but no descriptor is ever opened: the object of C
below stays as it is before its own initialisation, with the descriptor -1.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from sim.live.net.datagrams import Datagrams
from sim.live.net.endpoint import Endpoint, fail
from sim.live.net.stream import Stream

if TYPE_CHECKING:
    from sim.live.net.kernel import Kernel

T = TypeVar("T")

_REAL_NEW = socket.socket.__new__
_CLOSED = -1
_KINDS = socket.SOCK_STREAM, socket.SOCK_DGRAM
_BUFFER = 64 * 1024


def bare_socket(kernel: Kernel) -> SimSocket:
    """A socket that is not yet initialised."""
    made = _REAL_NEW(SimSocket)
    made._kernel = kernel
    return made


def new_socket(kernel: Kernel, *args: Any, **named: Any) -> SimSocket:
    made = bare_socket(kernel)
    made.__init__(*args, **named)  # type: ignore[misc]
    return made


class SimSocket(socket.socket):
    """A socket of a run."""

    _kernel: Kernel
    _fd = _CLOSED

    def __init__(self, family: int = -1, type: int = -1, proto: int = -1, fileno: int | None = None) -> None:
        self._io_refs, self._closed = 0, False
        self._timeout: float | None = socket.getdefaulttimeout()
        kernel = self._kernel
        if fileno is not None:
            end = kernel.files.get(fileno)
            if end is None:
                kernel.refuse(
                    f"socket.socket(fileno={fileno}): real sockets have no place in a run; make one within it"
                )
        else:
            end = self._made(
                socket.AF_INET if family == -1 else family,
                socket.SOCK_STREAM if type == -1 else type,
                0 if proto == -1 else proto,
            )
        self._fd, self._family, self._type, self._proto = end.fd, end.family, end.kind, end.proto

    def _made(self, family: int, kind: int, proto: int) -> Endpoint:
        kernel = self._kernel
        if kind & socket.SOCK_NONBLOCK:
            self._timeout = 0.0
        kind &= ~(socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        if family not in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX) or kind not in _KINDS:
            kernel.refuse(
                f"socket.socket({family!r}, {kind!r}): only TCP, UDP and Unix sockets can be simulated; use one"
            )
        made = Datagrams if kind == socket.SOCK_DGRAM else Endpoint
        end = made(kernel, -1, int(family), int(kind), proto, kernel.owner())
        kernel.open(end)
        return end

    @property
    def _end(self) -> Endpoint:
        end = self._kernel.files.get(self._fd)
        if end is None:
            fail(errno.EBADF)
        return end

    def _waits(self, call: Callable[..., T], *args: Any, flags: int = 0, instead: str) -> T:
        """What `call` gives. Where a blocking socket would wait, the run is told so."""
        try:
            return call(*args)
        except BlockingIOError:
            if self._timeout == 0.0 or flags & socket.MSG_DONTWAIT:
                raise
        self._kernel.refuse(f"a blocking socket waits, and with it the loop: use {instead}")

    # --- what it is ---------------------------------------------------------------------------------

    @property
    def family(self) -> socket.AddressFamily:
        return socket.AddressFamily(self._family)

    @property
    def type(self) -> socket.SocketKind:
        return socket.SocketKind(self._type)

    @property
    def proto(self) -> int:  # type: ignore[override]
        return self._proto

    @property
    def timeout(self) -> float | None:  # type: ignore[override]
        return self._timeout

    def __hash__(self) -> int:
        """By its number in the run: sets of sockets have one order in every process."""
        return self._kept

    @property
    def _kept(self) -> int:
        first: int = self.__dict__.setdefault("_first_fd", self._fd)
        return first

    def __del__(self) -> None:
        """As of a real one whose last reference is gone: the descriptor is closed, and the other end sees it."""
        if not self.__dict__.get("_closed", True):
            self._real_close()

    def fileno(self) -> int:
        return self._fd

    def getsockname(self) -> Any:
        end = self._end
        if end.local is not None:
            return end.local
        return "" if end.is_unix else self._kernel.addresses.nowhere(end.family)

    def getpeername(self) -> Any:
        end = self._end
        if end.peer is None or (isinstance(end, Stream) and (end.dead or not end.connected)):
            fail(errno.ENOTCONN)
        return end.peer

    def gettimeout(self) -> float | None:
        return self._timeout

    def settimeout(self, value: float | None) -> None:
        self._timeout = None if value is None else float(value)

    def setblocking(self, flag: bool) -> None:
        self._timeout = None if flag else 0.0

    def getblocking(self) -> bool:
        return self._timeout != 0.0

    def get_inheritable(self) -> bool:
        return False

    def set_inheritable(self, inheritable: bool) -> None:
        if inheritable:
            self._kernel.refuse("a socket of a run cannot be inherited: start the other program as a task of the run")

    def setsockopt(self, level: int, option: int, value: Any = None, optlen: int = 0) -> None:
        self._end.options[level, option] = value

    def getsockopt(self, level: int, option: int, buflen: int = 0) -> Any:
        end = self._end
        value = end.options.get((level, option), 0)
        if level == socket.SOL_SOCKET:
            if option == socket.SO_ERROR:
                value = end.take_error()
            elif option == socket.SO_TYPE:
                value = end.kind
            elif option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
                value = value or _BUFFER
        if not buflen:
            return int(value) if isinstance(value, int) else value
        return (struct.pack("i", value) if isinstance(value, int) else value)[:buflen].ljust(buflen, b"\0")

    # --- its life -----------------------------------------------------------------------------------

    def bind(self, address: Any) -> None:
        self._kernel.bind(self._end, address)

    def listen(self, backlog: int = 128) -> None:
        self._kernel.listen(self._end, backlog)

    def accept(self) -> tuple[socket.socket, Any]:
        end = self._waits(
            self._end.accept_now, instead="asyncio.start_server, or setblocking(False) and loop.sock_accept"
        )
        made = new_socket(self._kernel, end.family, end.kind, end.proto, end.fd)
        return made, end.peer

    def connect(self, address: Any) -> None:
        end = self._end
        if self._timeout != 0.0 and not end.is_unix and not isinstance(end, Datagrams):
            self._kernel.refuse(
                "a blocking socket waits, and with it the loop: use asyncio.open_connection, or setblocking(False) and "
                "loop.sock_connect"
            )
        self._kernel.connect(end, address)

    def connect_ex(self, address: Any) -> int:
        try:
            self.connect(address)
        except socket.gaierror:
            raise
        except OSError as error:
            return error.errno or errno.EIO
        return 0

    def shutdown(self, how: int) -> None:
        self._end.shutdown(how)

    def detach(self) -> int:
        fd, self._fd = self._kept and self._fd, _CLOSED
        self._closed = True
        return fd

    def _real_close(self, _ss: Any = None) -> None:
        end = self._kernel.files.get(self._fd)
        self._kept  # noqa: B018  its hash stays
        self._fd, self._closed = _CLOSED, True
        if end is not None:
            end.close()

    def dup(self) -> socket.socket:
        self._kernel.refuse("socket.dup: a socket of a run has one descriptor; hand the socket itself on")

    # --- reading ------------------------------------------------------------------------------------

    def _read(self, size: int, flags: int) -> tuple[bytes, Any]:
        peek = bool(flags & socket.MSG_PEEK)
        got = self._waits(
            self._end.receive_now, size, peek, flags=flags, instead="streams, or setblocking(False) and loop.sock_recv"
        )
        self._kernel.settle()
        return got

    def recv(self, bufsize: int, flags: int = 0) -> bytes:
        return self._read(bufsize, flags)[0]

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        return self.recvfrom_into(buffer, nbytes, flags)[0]

    def recvfrom(self, bufsize: int, flags: int = 0) -> tuple[bytes, Any]:
        data, sender = self._read(bufsize, flags)
        return data, sender if self._type == socket.SOCK_DGRAM else None

    def recvfrom_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> tuple[int, Any]:
        view = memoryview(buffer).cast("B")
        data, sender = self._read(nbytes or len(view), flags)
        view[: len(data)] = data
        return len(data), sender if self._type == socket.SOCK_DGRAM else None

    def recvmsg(self, bufsize: int, ancbufsize: int = 0, flags: int = 0) -> tuple[bytes, list[Any], int, Any]:
        data, sender = self.recvfrom(bufsize, flags)
        return data, [], 0, sender

    # --- writing ------------------------------------------------------------------------------------

    def send(self, data: Any, flags: int = 0) -> int:
        return self._waits(
            self._end.send_now, bytes(data), flags=flags, instead="streams, or setblocking(False) and loop.sock_sendall"
        )

    def sendall(self, data: Any, flags: int = 0) -> None:
        view = memoryview(data).cast("B")
        while True:
            sent = self.send(view, flags)
            view = view[sent:]
            if not view:
                return

    def sendto(self, data: Any, *rest: Any) -> int:
        return self._waits(self._end.send_to, bytes(data), rest[-1], instead="loop.create_datagram_endpoint")

    def sendmsg(self, buffers: Iterable[Any], ancdata: Any = (), flags: int = 0, address: Any = None) -> int:
        if list(ancdata):
            self._kernel.refuse("socket.sendmsg: what goes beside the data cannot be simulated; send it as data")
        data = b"".join(bytes(buffer) for buffer in buffers)
        return self.send(data, flags) if address is None else self.sendto(data, address)

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        self._kernel.refuse(
            "socket.sendfile waits, and with it the loop: use loop.sock_sendfile, or write what you read"
        )


def descriptor(file: Any) -> int:
    """The descriptor of a file, of a socket, or a number."""
    return file if isinstance(file, int) else int(file.fileno())


_ = os
