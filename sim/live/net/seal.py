"""TLS at the border of a server: its network opens what comes and seals what goes, and the server reads and writes as it is.

What is on its way is known as it is, then, so that schedules can speak of it and faults can strike it; only what a client
gets in the end, and what it sends, is sealed.
"""

from __future__ import annotations

import ssl
from typing import NamedTuple

READ_BYTES = 64 * 1024


class Opened(NamedTuple):
    """What a client has sent, and what has to be said to it for the sake of TLS."""

    data: bytes
    reply: bytes


class Seal:
    """The server's side of one connection over TLS."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._coming, self._going = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._coming, self._going, server_side=True)
        self._is_open = False

    def opens(self, data: bytes) -> Opened:
        """The client sends this. Raises `ssl.SSLError` for anything else than TLS, or where it does not trust."""
        self._coming.write(data)
        found = bytearray()
        try:
            if not self._is_open:
                self._tls.do_handshake()
                self._is_open = True
            while some := self._tls.read(READ_BYTES):
                found += some
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            pass  # it says goodbye, and then ends the connection
        return Opened(bytes(found), self._going.read())

    def seals(self, data: bytes) -> bytes:
        """The server sends this."""
        self._tls.write(data)
        return self._going.read()
