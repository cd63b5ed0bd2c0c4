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


def strike(client: StreamSocket, data: bytes, how: str) -> None:
    """What `client` sees instead of the response that begins with `data`, which has been taken from the channel already.
    Whatever else the server says on this connection is lost, and the server does not know."""
    kind, _, hint = how.removesuffix(")").partition("(")
    client.kernel.traffic.drop(client.into)
    client.into.silent = True
    if kind == AGENT_TIMEOUT:
        return
    if kind == DISCONNECT:
        client.get(data[: len(data) // 2])
        client.connection.server.die()
        client.die()
        return
    if kind == RATE_LIMITED:
        after = f"Retry-After: {-(-parse_hint(hint) // 1000)}\r\n" if hint else ""
        client.get(_response("429 Too Many Requests", after))
    else:
        client.get(_response("200 OK"))
    client.get_end()


def _response(status: str, more: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\n{more}Content-Length: 0\r\nConnection: close\r\n\r\n".encode("ascii")
