"""Clients that people use run as they are."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import httpx
import pytest

from sim.live.net import Incoming
from tests.live.net.stepping import Stepped
from tests.live.net.test_arrivals import named, served

asked: list[bytes] = []


async def answering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while head := await reader.readuntil(b"\r\n\r\n"):
        asked.append(head.split(b"\r\n")[0])
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")


async def twice() -> list[str]:
    async with httpx.AsyncClient() as client:
        return [await get(client) for _ in range(2)]


async def get(client: httpx.AsyncClient) -> str:
    try:
        answer = await client.get("http://redis:6379/x", timeout=5)
    except httpx.HTTPError as error:
        return type(error).__name__
    return f"{answer.status_code} {answer.text} {answer.headers.get('Retry-After', '')}".strip()


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("", ["200 hi", "200 hi"]),
        ("rate_limited(2s)", ["429  2", "200 hi"]),
        ("empty_response", ["200", "200 hi"]),
        ("disconnect", ["ReadError", "200 hi"]),
        ("agent_timeout", ["ReadTimeout", "200 hi"]),
        ("split", ["200 hi", "200 hi"]),
    ],
)
def test_httpx_runs_and_sees_what_becomes_of_its_responses(how: str, expected: list[str]) -> None:
    left = [how]
    connects = []

    def choose(arrivals: Sequence[Incoming]) -> tuple[Incoming, str]:
        arrival = arrivals[0]
        connects.append(arrival.what == "connect")
        return arrival, left.pop() if left and arrival.is_http_response else ""

    run = Stepped(served(twice(), serve=answering), named())
    assert run.until(choose=choose) == [expected]
    assert sum(connects) == (1 if how in ("", "split") else 2), "an idle connection is used again, a broken one is not"
    run.close()
