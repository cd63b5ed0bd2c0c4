"""An answer over HTTP, and what may become of it on its way: the faults of agents, as a client sees them on its connection.

Of an answer of plain HTTP/1 only where it begins is known; a server that knows more says so with an `Exchange`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from sim.base.durations import parse_hint

if TYPE_CHECKING:
    from sim.live.net.channel import Incoming
    from sim.live.net.stream_socket import StreamSocket

AGENT_TIMEOUT, RATE_LIMITED, EMPTY_RESPONSE, DISCONNECT = (
    "agent_timeout",
    "rate_limited",
    "empty_response",
    "disconnect",
)
PLAIN_FAULTS = (AGENT_TIMEOUT, RATE_LIMITED, EMPTY_RESPONSE, DISCONNECT)
"""What may become of an answer of which nothing is known but that it is one."""
CHOOSING = "choosing "
"""Begins how an answer arrives that is chosen from several."""


class Exchange(Protocol):
    """An answer whose server knows what else it could have been."""

    @property
    def choices(self) -> Sequence[str]:
        """What it may say, in a word each, first what is sent; empty where there is no choice."""

    def faults(self, *, begun: bool) -> Sequence[str]:
        """What may become of it, or of the rest of it where it has `begun` to arrive."""

    def instead(self, how: str, *, begun: bool) -> Sequence[bytes]:
        """What comes in its place, or in place of the rest: one or more parts. `how` is a fault or a choice."""

    def arrives(self, how: str) -> None:
        """It begins to arrive, or this happens to it."""


def begins_response(data: bytes) -> bool:
    return data.startswith(b"HTTP/1.")


def hint_s(how: str) -> int | None:
    """The seconds of a fault with a hint, such as `rate_limited(30s)`. Raises `ConfigError` for a time that is not one."""
    _, _, hint = how.removesuffix(")").partition("(")
    return -(-parse_hint(hint) // 1000) if hint else None


def strike(client: StreamSocket, arrival: Incoming, how: str) -> None:
    """What `client` sees instead of `arrival`, which has been taken from its channel already. What comes instead of a plain
    answer ends the connection: whatever else the server says on it is lost, and the server does not know."""
    exchange, traffic = arrival.exchange, client.kernel.traffic
    if how == DISCONNECT:
        traffic.drop(client.into)
        client.into.silent = True
        client.get(arrival.data[: len(arrival.data) // 2])
        client.connection.server.die()
        client.die()
    elif exchange is not None:
        first, *rest = exchange.instead(how, begun=not arrival.begins)
        client.get(first)
        traffic.replace(client.into, exchange, rest)
    else:
        traffic.drop(client.into)
        client.into.silent = True
        client.get(_instead(how))
        client.get_end()


def _instead(how: str) -> bytes:
    """What comes in place of an answer of plain HTTP."""
    if how == EMPTY_RESPONSE:
        return _response("200 OK")
    seconds = hint_s(how)
    return _response("429 Too Many Requests", "" if seconds is None else f"Retry-After: {seconds}\r\n")


def _response(status: str, more: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\n{more}Content-Length: 0\r\nConnection: close\r\n\r\n".encode("ascii")
