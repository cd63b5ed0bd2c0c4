"""Stands for redis: the commands that the workers send, over its protocol (RESP 3), by the clock of the run."""

from __future__ import annotations

import asyncio
from typing import Any


class RedisStandIn:
    def __init__(self, **values: Any) -> None:
        self.values: dict[str, Any] = values
        self.ends: dict[str, float] = {}

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            words = []
            for _ in range(int(line[1:])):
                size = int((await reader.readline())[1:])
                words.append((await reader.readexactly(size + 2))[:-2].decode())
            writer.write(written(self.done(words[0].lower(), words[1:])))

    def done(self, command: str, words: list[str]) -> Any:
        if command in ("hello", "client", "select"):
            return {"proto": 3} if command == "hello" else "OK"
        name, *more = words
        if self.ends.get(name, float("inf")) <= asyncio.get_running_loop().time():
            del self.values[name], self.ends[name]
        if command == "set" and more[1:3] == ["NX", "EX"]:
            return self.claim(name, more[0], int(more[3]))
        if command == "lrange":
            return list(self.values.get(name, []))
        if command == "rpush":
            self.values.setdefault(name, []).append(more[0])
            return len(self.values[name])
        if command == "lrem":
            before = self.values.get(name, [])
            self.values[name] = [one for one in before if one != more[1]]
            return len(before) - len(self.values[name])
        if command == "hsetnx":
            table = self.values.setdefault(name, {})
            return int(table.setdefault(more[0], more[1]) is more[1])
        raise NotImplementedError(f"{command} {' '.join(words)}")

    def claim(self, name: str, value: str, seconds: int) -> str | None:
        if name in self.values:
            return None
        self.values[name] = value
        self.ends[name] = asyncio.get_running_loop().time() + seconds
        return "OK"


def written(answer: Any) -> bytes:
    if answer is None:
        return b"_\r\n"
    if isinstance(answer, int):
        return b":%d\r\n" % answer
    if isinstance(answer, str):
        return b"$%d\r\n%s\r\n" % (len(answer.encode()), answer.encode())
    if isinstance(answer, list):
        return b"*%d\r\n" % len(answer) + b"".join(map(written, answer))
    return b"%%%d\r\n" % len(answer) + b"".join(written(one) for pair in answer.items() for one in pair)
