"""Stand-ins for agents: real HTTP servers on the loopback that answer as OpenAI's chat completions do, or do not, by a seeded
plan."""

from __future__ import annotations

import asyncio
import json
import random
import threading
from dataclasses import dataclass, field

PLAN = ("ok", "ok", "ok", "late", "429", "500", "empty", "drop", "cut", "garbage")
"""What may come of a request; drawn anew for each."""


@dataclass
class Agents:
    """Some agents at one port, told apart by their path. `paid` are the answers that were made, by idempotency key: what a
    provider would send a bill for."""

    plan: tuple[str, ...] = PLAN
    seed: int = 0
    late_s: float = 0.2
    faults_max: int = 2
    """How often in a row an agent gives no answer."""
    paid: dict[str, int] = field(default_factory=dict)
    asked: int = 0
    url: str = ""
    heard: list[dict[str, str]] = field(default_factory=list)
    """The headers of each request."""

    def __enter__(self) -> Agents:
        self._random = random.Random(self.seed)
        self._failed: dict[str, int] = {}
        self._loop = asyncio.new_event_loop()
        ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, args=(ready,), daemon=True)
        self._thread.start()
        ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _serve(self, ready: threading.Event) -> None:
        async def main() -> None:
            self._stop = asyncio.Event()
            server = await asyncio.start_server(self._handle, "127.0.0.1", 0)
            self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            ready.set()
            async with server:
                await self._stop.wait()

        self._loop.run_until_complete(main())
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                first, *lines = head.decode().split("\r\n")
                headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines if line)}
                body = json.loads(await reader.readexactly(int(headers.get("content-length", "0"))))
                self.heard.append(headers)
                if not await self._answer(first.split(" ")[1], headers, body, writer):
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(
        self, path: str, headers: dict[str, str], body: dict[str, object], writer: asyncio.StreamWriter
    ) -> bool:
        """Answer a request; whether the connection goes on."""
        self.asked += 1
        key = headers.get("idempotency-key", "")
        what = self._random.choice(self.plan)
        if what not in ("ok", "slow", "late"):
            self._failed[path] = self._failed.get(path, 0) + 1
            if self._failed[path] > self.faults_max:
                what = "ok"
        if what in ("ok", "slow", "late"):
            self._failed[path] = 0
        if what == "drop":
            return False
        if what == "429":
            return await _send(writer, 429, b'{"error": {"message": "slow down"}}', "Retry-After: 1\r\n")
        if what == "500":
            return await _send(writer, 500, b"oops")
        if what == "garbage":
            return await _send(writer, 200, b"<html>no JSON</html>")
        if what in ("slow", "late"):
            await asyncio.sleep(self.late_s if what == "late" else self.late_s / 4)
        text = "" if what == "empty" else f"{path.split('/')[1]} says OK to {body['messages'][-1]['content']}"  # type: ignore[index]
        self.paid[key] = self.paid.get(key, 0) + 1
        message = {"role": "assistant", "content": text}
        answer = {
            "id": f"chatcmpl-{self.asked}",
            "object": "chat.completion",
            "model": "gpt-4o-mini",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110},
        }
        data = json.dumps(answer).encode()
        if what == "cut":
            writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data[: len(data) // 2])
            await writer.drain()
            return False
        return await _send(writer, 200, data)


async def _send(writer: asyncio.StreamWriter, status: int, body: bytes, more: str = "") -> bool:
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    writer.write(head.encode() + body)
    await writer.drain()
    return True
