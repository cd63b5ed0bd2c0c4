"""A POST over HTTP/1.1, on a connection of its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any


class HTTPError(Exception):
    """An answer of another status than 200: its status, and its headers."""

    def __init__(self, status: int, headers: Mapping[str, str]) -> None:
        super().__init__(status)
        self.status, self.headers = status, headers


class EmptyResponseError(ValueError):
    """An answer with nothing in it."""


async def post(host: str, said: Mapping[str, Any]) -> str:
    """What `host` answers. Raises `HTTPError`, `EmptyResponseError`, and `OSError` or `EOFError` for a connection that breaks."""
    reader, writer = await asyncio.open_connection(host, 80)
    try:
        body = json.dumps(said).encode()
        writer.write(b"POST / HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n" % (host.encode(), len(body)) + body)
        await writer.drain()
        first, headers, answer = await read_message(reader)
    finally:
        writer.close()
    if (status := int(first.split()[1])) != 200:
        raise HTTPError(status, headers)
    if not answer:
        raise EmptyResponseError(f"{host} answers with nothing")
    return answer.decode()


async def read_message(reader: asyncio.StreamReader) -> tuple[str, dict[str, str], bytes]:
    """The first line of a request or an answer, its headers, and its body."""
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().splitlines()
    pairs = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    return first, headers, await reader.readexactly(int(headers.get("content-length", 0)))
