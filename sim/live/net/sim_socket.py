"""The sockets that programs hold while a run lasts.

They are instances of `socket.socket`, since code asks (`ssl`, anyio), but no descriptor is ever opened: the object of C
below stays as it is before its own initialisation, with the descriptor -1.
"""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from sim.live.net.datagram_socket import DatagramSocket
from sim.live.net.kernel_socket import READ, WRITE, KernelSocket, failure
from sim.live.net.stream_socket import StreamSocket

if TYPE_CHECKING:
    from sim.live.net.kernel import Kernel

T = TypeVar("T")

REAL_NEW = socket.socket.__new__
GONE = -1
"""The descriptor of a socket that was closed."""
_PROTOCOLS: dict[int, int] = {socket.SOCK_STREAM: socket.IPPROTO_TCP, socket.SOCK_DGRAM: socket.IPPROTO_UDP}
_FAMILIES = socket.AF_INET, socket.AF_INET6, socket.AF_UNIX
_NONBLOCK, _CLOEXEC = getattr(socket, "SOCK_NONBLOCK", 0), getattr(socket, "SOCK_CLOEXEC", 0)
_BUFFER_BYTES = 64 * 1024
_DATAGRAMS = "loop.create_datagram_endpoint"
_WAITS = "waits, and with it the loop: use"


def bare_socket(kernel: Kernel) -> SimSocket:
    """A socket that is not yet initialised."""
    made = REAL_NEW(SimSocket)
    made._kernel = kernel
    return made


def new_socket(kernel: Kernel, *args: Any) -> SimSocket:
    made = bare_socket(kernel)
    SimSocket.__init__(made, *args)
    return made


class SimSocket(socket.socket):
    """A socket of a run."""

    _kernel: Kernel
    _fd = GONE
    _closed = True

    def __init__(self, family: int = -1, type: int = -1, proto: int = -1, fileno: int | None = None) -> None:
        self._io_refs = 0
        self._timeout = socket.getdefaulttimeout()
        end = self._made(family, type, proto) if fileno is None else self._kernel.files.get(fileno)
        if end is None:
            raise self._kernel.refusal(
                f"socket.socket(fileno={fileno}): real sockets have no place in a run; make one in it"
            )
        self._fd = self._number = end.fd
        self._family, self._type, self._proto = end.family, end.kind, end.proto
        if fileno is not None and proto == -1 and not end.is_unix:
            self._proto = _PROTOCOLS[end.kind]
        self._closed = False

    def _made(self, family: int, kind: int, proto: int) -> KernelSocket:
        family = socket.AF_INET if family == -1 else family
        kind = socket.SOCK_STREAM if kind == -1 else kind
        if kind & _NONBLOCK:
            self._timeout = 0.0
        kind &= ~(_NONBLOCK | _CLOEXEC)
        ends: dict[int, Callable[..., KernelSocket]] = {
            socket.SOCK_STREAM: KernelSocket,
            socket.SOCK_DGRAM: DatagramSocket,
        }
        if family not in _FAMILIES or kind not in ends:
            raise self._kernel.refusal(
                f"socket.socket({int(family)}, {int(kind)}): only TCP, UDP and Unix sockets can be simulated; use one"
            )
        end = ends[kind](self._kernel, GONE, int(family), int(kind), max(0, proto), self._kernel.owner())
        self._kernel.open(end)
        return end

    @property
    def _end(self) -> KernelSocket:
        end = self._kernel.files.get(self._fd)
        if end is None:
            raise failure(errno.EBADF)
        return end

    def _done(self, what: Callable[..., T], *args: Any, flags: int = 0, until: int, instead: str) -> T:
        """What `what` gives. Where a blocking socket would wait until it is ready, the loop's own code is refused, and a
        thread waits."""
        while True:
            try:
                got = what(*args)
            except OSError as error:
                self._kernel.meets(self._fd, error.errno)
                if not isinstance(error, BlockingIOError) or self._timeout == 0.0 or flags & socket.MSG_DONTWAIT:
                    raise
            else:
                self._kernel.meets(self._fd, got.connection if isinstance(got, StreamSocket) else got)
                return got
            self._wait(f"socket.{what.__name__}", until, f"{what.__name__} on a blocking socket {_WAITS} {instead}")

    def _wait(self, what: str, until: int, said: str) -> None:
        """A thread waits until this is ready for reading or writing. Raises `TimeoutError` after its timeout."""
        end, wait = self._end, self._kernel.wait
        if wait is None:
            raise self._kernel.refusal(said)
        if not wait(lambda: bool(end.closed or end.readiness() & until), what, self._timeout):
            raise TimeoutError("timed out")

    # --- what it is ---------------------------------------------------------------------------------

    @property
    def family(self) -> socket.AddressFamily:
        return socket.AddressFamily(self._family)

    @property
    def type(self) -> socket.SocketKind:
        return socket.SocketKind(self._type)

    @property
    def proto(self) -> int:
        return self._proto

    @property
    def timeout(self) -> float | None:
        return self._timeout

    def __hash__(self) -> int:
        """Its number in the run: sets of sockets have one order in every process."""
        return self._number

    def __del__(self) -> None:
        """As of a real one whose last reference is gone: the descriptor is closed, and the other end sees it."""
        if not self._closed:
            self._real_close()

    def fileno(self) -> int:
        return self._fd

    def getsockname(self) -> Any:
        end = self._end
        return self._kernel.addresses.nowhere(end.family) if end.local is None else end.local

    def getpeername(self) -> Any:
        end = self._end
        if end.peer is None or (isinstance(end, StreamSocket) and end.is_over and not end.is_unix):
            raise failure(errno.ENOTCONN)
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
            raise self._kernel.refusal(
                "a socket of a run cannot be inherited: start the other program as a task of the run"
            )

    def setsockopt(self, level: int, option: int, value: Any = None, optlen: int = 0) -> None:
        self._end.options[level, option] = value

    def getsockopt(self, level: int, option: int, buflen: int = 0) -> Any:
        end = self._end
        value = end.options.get((level, option), 0)
        if level == socket.SOL_SOCKET:
            if option == socket.SO_ERROR:
                value = end.take_error()
                self._kernel.meets(self._fd, value)
            elif option == socket.SO_TYPE:
                value = end.kind
            elif option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
                value = value or _BUFFER_BYTES
        if not buflen:
            return int(value) if isinstance(value, int) else value
        return (struct.pack("i", value) if isinstance(value, int) else value)[:buflen].ljust(buflen, b"\0")

    # --- its life -----------------------------------------------------------------------------------

    def bind(self, address: Any) -> None:
        self._end.bind(address)

    def listen(self, backlog: int = 128) -> None:
        self._end.listen(backlog)

    def accept(self) -> tuple[SimSocket, Any]:
        end = self._done(
            self._end.accept, until=READ, instead="asyncio.start_server, or setblocking(False) and loop.sock_accept"
        )
        return new_socket(self._kernel, end.family, end.kind, end.proto, end.fd), end.peer

    def connect(self, address: Any) -> None:
        if self._timeout == 0.0 or self._type != socket.SOCK_STREAM or self._family == socket.AF_UNIX:
            self._done(self._end.connect, address, until=WRITE, instead="loop.sock_connect")
            return
        said = f"connect of a blocking socket {_WAITS} asyncio.open_connection, or setblocking(False) and loop.sock_connect"
        if self._kernel.wait is None:
            raise self._kernel.refusal(said)
        with suppress(BlockingIOError):
            self._end.connect(address)
        self._wait("socket.connect", WRITE, said)
        number = self.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            raise failure(number)

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
        fd, self._fd, self._closed = self._fd, GONE, True
        return fd

    def _real_close(self, _ss: Any = None) -> None:
        end = self._kernel.files.get(self._fd)
        self._fd, self._closed = GONE, True
        if end is not None:
            end.close()

    def dup(self) -> SimSocket:
        raise self._kernel.refusal("socket.dup: a socket of a run has one descriptor; hand the socket itself on")

    # --- reading ------------------------------------------------------------------------------------

    def _read(self, size: int, flags: int) -> tuple[bytes, Any]:
        peek = bool(flags & socket.MSG_PEEK)
        datagrams = self._type == socket.SOCK_DGRAM
        instead = _DATAGRAMS if datagrams else "asyncio's streams, or setblocking(False) and loop.sock_recv"
        data, sender = self._done(self._end.receive, size, peek, flags=flags, until=READ, instead=instead)
        self._kernel.settle()
        return data, sender if datagrams else None

    def recv(self, bufsize: int, flags: int = 0) -> bytes:
        return self._read(bufsize, flags)[0] if bufsize else b""

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        return self.recvfrom_into(buffer, nbytes, flags)[0] if nbytes or len(buffer) else 0

    def recvfrom(self, bufsize: int, flags: int = 0) -> tuple[bytes, Any]:
        return self._read(bufsize, flags)

    def recvfrom_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> tuple[int, Any]:
        view = memoryview(buffer).cast("B")
        data, sender = self._read(nbytes or len(view), flags)
        view[: len(data)] = data
        return len(data), sender

    def recvmsg(self, bufsize: int, ancbufsize: int = 0, flags: int = 0) -> tuple[bytes, list[Any], int, Any]:
        data, sender = self._read(bufsize, flags)
        return data, [], 0, sender

    # --- writing ------------------------------------------------------------------------------------

    def send(self, data: Any, flags: int = 0) -> int:
        instead = "asyncio's streams, or setblocking(False) and loop.sock_sendall"
        return self._done(self._end.send, memoryview(data).cast("B"), flags=flags, until=WRITE, instead=instead)

    def sendall(self, data: Any, flags: int = 0) -> None:
        view = memoryview(data).cast("B")
        while view:
            view = view[self.send(view, flags) :]

    def sendto(self, data: Any, *rest: Any) -> int:
        """As of a real one: the address comes last, after flags if there are any."""
        view = memoryview(data).cast("B")
        return self._done(self._end.send_to, view, rest[-1], until=WRITE, instead=_DATAGRAMS)

    def sendmsg(self, buffers: Iterable[Any], ancdata: Any = (), flags: int = 0, address: Any = None) -> int:
        if list(ancdata):
            raise self._kernel.refusal("socket.sendmsg: what goes beside the data cannot be simulated; send it as data")
        data = b"".join(buffers)
        return self.send(data, flags) if address is None else self.sendto(data, address)

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        raise self._kernel.refusal(f"socket.sendfile {_WAITS} loop.sock_sendfile")
