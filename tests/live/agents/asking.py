"""A client of a simulated endpoint in plain asyncio, as the ordinary environment has none of the official ones."""

from __future__ import annotations

import asyncio
import json
from contextlib import closing
from typing import Any, NamedTuple

from tests.live.small import replayed


class Got(NamedTuple):
    """An answer: its status, its headers by their names, and its body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def data(self) -> Any:
        return json.loads(self.body)


async def post(path: str, posted: Any, *, host: str = "agent", chunked: bool = False) -> Got:
    """One request on a connection of its own."""
    reader, writer = await asyncio.open_connection(host, 80)
    with closing(writer):
        return await ask(reader, writer, path, posted, chunked=chunked)


async def ask(reader: Any, writer: Any, path: str, posted: Any, *, chunked: bool = False) -> Got:
    """One request on this connection."""
    body = posted if isinstance(posted, bytes) else json.dumps(posted).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: agent\r\n".encode()
    if chunked:
        half = len(body) // 2
        parts = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:half], body[half:], b""))
        writer.write(head + b"Transfer-Encoding: chunked\r\n\r\n" + parts)
    else:
        writer.write(head + b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    return await answer(reader)


async def answer(reader: Any) -> Got:
    status, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if headers.get("transfer-encoding") == "chunked":
        body = b""
        while size := int(await reader.readline(), 16):
            body += await reader.readexactly(size)
            await reader.readline()
        await reader.readline()
    else:
        body = await reader.readexactly(int(headers["content-length"]))
    return Got(int(status.split()[1]), headers, body)


def chat(prompt: str = "is it?", **more: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": prompt}], **more}


def outcome(client: Any, *, answers: Any, schedule: Any = (), faults: str = "", serve: str = "openai") -> Any:
    """What a client gives back that is run beside an endpoint `agent`."""
    found: list[Any] = []

    async def main(world: Any) -> None:
        getattr(world, f"serve_{serve}")("agent:80", answers=answers, name="agent")
        task = world.task("client", client())
        await asyncio.wait([task])
        found.append(task.result())

    run = replayed(main, schedule, faults=faults)
    assert run.finding is None, run.finding
    return found[-1]
