"""TLS over a socket that blocks, as a thread has it. The session is the standard library's own, between two buffers in memory: what
it has to send goes over the socket of the run, and what it waits for comes from there."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from sim.live.net.sim_socket import REAL_NEW, SimSocket

if TYPE_CHECKING:
    from sim.live.net.kernel import Kernel

T = TypeVar("T")

READ_BYTES = 64 * 1024
_WAITS = "SSLSocket over a socket waits, and with it the loop: use ssl= of asyncio's connections"


def wrap_socket(
    kernel: Kernel,
    context: ssl.SSLContext,
    sock: SimSocket,
    server_side: bool = False,
    do_handshake_on_connect: bool = True,
    suppress_ragged_eofs: bool = True,
    server_hostname: str | None = None,
    session: ssl.SSLSession | None = None,
) -> TlsSocket:
    """As `SSLContext.wrap_socket`. Raises a refusal where it would block the loop."""
    if kernel.wait is None or sock.gettimeout() == 0.0:
        raise kernel.refusal(_WAITS)
    sock.getpeername()  # raises OSError: it is not connected
    made: TlsSocket = REAL_NEW(TlsSocket)
    made._kernel = kernel
    SimSocket.__init__(made, sock.family, sock.type, sock.proto, sock.fileno())
    made.settimeout(sock.gettimeout())
    sock.detach()
    made._coming, made._going = ssl.MemoryBIO(), ssl.MemoryBIO()
    made._tls = context.wrap_bio(made._coming, made._going, server_side, server_hostname, session)
    made.suppress_ragged_eofs = suppress_ragged_eofs
    try:
        if do_handshake_on_connect:
            made.do_handshake()
    except BaseException:
        made.close()
        raise
    return made


class TlsSocket(SimSocket):
    """What `wrap_socket` gives. All that it does not do itself is asked of the session, or of the socket. It is no `SSLSocket`: one
    has its session in C, over a descriptor."""

    _coming: ssl.MemoryBIO
    _going: ssl.MemoryBIO
    _tls: ssl.SSLObject
    suppress_ragged_eofs: bool

    def __getattr__(self, name: str) -> Any:
        """`getpeercert`, `version`, `cipher`, `selected_alpn_protocol`, `context`, `server_hostname` and others."""
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._tls, name)

    def do_handshake(self, block: bool = False) -> None:
        self._through(self._tls.do_handshake)

    def recv(self, bufsize: int = READ_BYTES, flags: int = 0) -> bytes:
        _no_flags("recv", flags)
        try:
            return self._through(self._tls.read, bufsize) if bufsize else b""
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            if self.suppress_ragged_eofs:
                return b""
            raise

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        view = memoryview(buffer).cast("B")
        data = self.recv(nbytes or len(view), flags)
        view[: len(data)] = data
        return len(data)

    def send(self, data: Any, flags: int = 0) -> int:
        _no_flags("send", flags)
        return self._through(self._tls.write, data)

    read, write = recv, send

    def unwrap(self) -> SimSocket:
        """Say goodbye; gives the socket below."""
        self._through(self._tls.unwrap)
        below = REAL_NEW(SimSocket)
        below._kernel = self._kernel
        SimSocket.__init__(below, self.family, self.type, self.proto, self.fileno())
        below.settimeout(self.gettimeout())
        self.detach()
        return below

    def _through(self, what: Callable[..., T], *args: Any) -> T:
        """What `what` gives, with all that has to come for it, and all that is to be sent for it sent."""
        while True:
            try:
                return what(*args)
            except ssl.SSLWantReadError:
                self._flush()
                self._fill()
            finally:
                self._flush()

    def _fill(self) -> None:
        data = super().recv(READ_BYTES)
        if data:
            self._coming.write(data)
        else:
            self._coming.write_eof()

    def _flush(self) -> None:
        view = memoryview(self._going.read())
        while view:
            view = view[super().send(view) :]


def _no_flags(call: str, flags: int) -> None:
    if flags:
        raise ValueError(f"non-zero flags not allowed in calls to {call}() on SSLSocket")
