"""What may become of a response of plain HTTP/1: the faults of agents, as a client sees them on its connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.base.durations import parse_hint

if TYPE_CHECKING:
    from sim.live.net.stream_socket import StreamSocket

AGENT_TIMEOUT, RATE_LIMITED, EMPTY_RESPONSE, DISCONNECT = (
    "agent_timeout",
    "rate_limited",
    "empty_response",
    "disconnect",
)
HTTP_FAULTS = (AGENT_TIMEOUT, RATE_LIMITED, EMPTY_RESPONSE, DISCONNECT)


def begins_response(data: bytes) -> bool:
    return data.startswith(b"HTTP/1.")


def answer(how: str) -> bytes | None:
    """What comes instead of the server's response, if anything does. Raises `ConfigError` for a time that is not one."""
    kind, _, hint = how.removesuffix(")").partition("(")
    if kind == RATE_LIMITED:
        after = f"Retry-After: {-(-parse_hint(hint) // 1000)}\r\n" if hint else ""
        return _response("429 Too Many Requests", after)
    return _response("200 OK") if kind == EMPTY_RESPONSE else None


def strike(client: StreamSocket, data: bytes, how: str) -> None:
    """What `client` sees instead of the response that begins with `data`, which has been taken from its channel already.
    Whatever else the server says on this connection is lost, and the server does not know."""
    client.kernel.traffic.drop(client.into)
    client.into.silent = True
    instead = answer(how)
    if instead is not None:
        client.get(instead)
        client.get_end()
    elif how == DISCONNECT:
        client.get(data[: len(data) // 2])
        client.connection.server.die()
        client.die()


def _response(status: str, more: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\n{more}Content-Length: 0\r\nConnection: close\r\n\r\n".encode("ascii")
