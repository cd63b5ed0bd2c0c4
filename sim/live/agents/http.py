"""HTTP/1.1, as much as an endpoint needs: requests are read, responses are put together."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import NamedTuple

BODY_MAX = 64 * 1024 * 1024
"""Bytes of a request."""
JSON, EVENTS = "application/json", "text/event-stream; charset=utf-8"
LAST_CHUNK = b"0\r\n\r\n"
_WORDS = {529: "Overloaded"}
"""Of codes that only a provider has."""

Headers = Iterable[tuple[str, str]]


class Request(NamedTuple):
    """A request, with its headers by their names in small letters."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """The next request; None: there is no more. Raises `ValueError` for anything else."""
    line = (await reader.readline()).decode("latin-1").split()
    if not line:
        return None
    if len(line) != 3 or not line[2].startswith("HTTP/1."):
        raise ValueError("not a request of HTTP/1.1")
    headers = {}
    while header := (await reader.readline()).decode("latin-1").strip():
        name, _, value = header.partition(":")
        headers[name.strip().lower()] = value.strip()
    if "chunked" in headers.get("transfer-encoding", "").lower():
        body = await _chunks(reader)
    else:
        body = await reader.readexactly(_size(headers.get("content-length", "0"), 10))
    return Request(line[0], line[1].partition("?")[0], headers, body)


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while size := _size((await reader.readline()).decode("latin-1").partition(";")[0].strip(), 16, len(body)):
        body += await reader.readexactly(size)
        await reader.readline()
    while (await reader.readline()).strip():
        pass  # trailers
    return bytes(body)


def _size(text: str, base: int, before: int = 0) -> int:
    size = int(text, base)
    if not 0 <= size + before <= BODY_MAX:
        raise ValueError("a request that is too large")
    return size


def head(status: int, headers: Headers) -> bytes:
    """How a response begins."""
    word = _WORDS.get(status) or HTTPStatus(status).phrase
    lines = [f"HTTP/1.1 {status} {word}", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def whole(status: int, headers: Headers, body: bytes) -> bytes:
    """A response in one piece."""
    return head(status, [*headers, ("content-type", JSON), ("content-length", str(len(body)))]) + body


def streamed(status: int, headers: Headers, events: Iterable[str]) -> list[bytes]:
    """A response in pieces: its head, then an event in each."""
    begin = head(status, [*headers, ("content-type", EVENTS), ("transfer-encoding", "chunked")])
    return [begin, *map(chunk, events), LAST_CHUNK]


def chunk(event: str) -> bytes:
    data = event.encode()
    return b"%x\r\n%s\r\n" % (len(data), data)
