"""Real HTTP servers on the loopback that answer as they are told, each request by the next of their answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from sim.base.values import Message
from sim.host.adapter import Question, Text

KEY = "sk-very-secret-0123456789"
"""What the agents of these tests have as their key; it must turn up nowhere."""


class Ask(Message):
    run: str
    stage: str


class Request(NamedTuple):
    line: str
    headers: dict[str, str]
    body: Any


Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


class Server:
    def __init__(self, answers: list[Answer], scheme: str) -> None:
        self.answers, self.scheme = answers, scheme
        self.seen: list[Request] = []
        self.port = 0
        self.broken = 0
        """Connections that ended before all was written."""

    def url(self, path: str = "/v1/chat/completions?api-version=hush") -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}{path}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            pairs = [line.partition(": ") for line in head[1:] if line]
            headers = {name.lower(): value for name, _, value in pairs}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            self.seen.append(Request(head[0], headers, json.loads(body) if body else None))
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            await answer(writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            self.broken += 1
        finally:
            writer.close()


@asynccontextmanager
async def serving(*answers: Answer, tls: Any = None) -> AsyncIterator[Server]:
    """A server with these answers; the last is given again and again."""
    server = Server([*answers], "http" if tls is None else "https")
    tasks: set[asyncio.Task[None]] = set()
    listening = await asyncio.start_server(
        lambda reader, writer: tasks.add(asyncio.create_task(server.serve(reader, writer))), "127.0.0.1", 0, ssl=tls
    )
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        if tasks:
            await asyncio.wait(tasks, timeout=0.5)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def raw(data: bytes) -> Answer:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(data)

    return answer


def said(status: int, body: Any, **headers: str) -> Answer:
    """A status with a body, as JSON unless it is bytes."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Anything", f"Content-Length: {len(data)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return raw("\r\n".join(lines).encode() + b"\r\n\r\n" + data)


def completion(text: Any = "VERDICT: ok", **more: Any) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "model": "gpt-5-2026",
        "choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18},
        **more,
    }


async def never(writer: asyncio.StreamWriter) -> None:
    """The connection stays open, and nothing comes."""
    del writer
    await asyncio.sleep(30)


async def dripping(writer: asyncio.StreamWriter) -> None:
    """Something comes now and then, without an end."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    for _ in range(3000):
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.01)


async def huge(writer: asyncio.StreamWriter) -> None:
    """100 MB, without saying so first."""
    writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    for _ in range(100):
        writer.write(b"x" * 1_000_000)
        await writer.drain()


def question(answers: tuple[Any, ...] = ("ok", "conflict"), key: str = "j1/7", *texts: Text) -> Question:
    return Question("s1", "gemini", "coordinator", Ask("r", "validate"), key, answers, texts)
