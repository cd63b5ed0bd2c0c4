"""A server that speaks as much of the Redis protocol as the programs need: strings, lists and messages to subscribers."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.libraries.service import Connections


class Redis(Connections):
    def __init__(self) -> None:
        super().__init__()
        self._values: dict[bytes, bytes] = {}

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            words = []
            for _ in range(int(line[1:])):
                size = int((await reader.readline())[1:])
                words.append((await reader.readexactly(size + 2))[:-2])
            writer.write(written(self._done(words[0].upper(), words[1:])))
            await writer.drain()

    def _done(self, command: bytes, words: list[bytes]) -> Any:
        if command == b"HELLO":
            return {b"server": b"redis", b"proto": 3}
        if command in (b"CLIENT", b"SELECT"):
            return "OK"
        if command == b"PING":
            return "PONG"
        if command == b"SET":
            self._values[words[0]] = words[1]
            return "OK"
        if command == b"GET":
            return self._values.get(words[0])
        if command == b"INCRBY":
            total = int(self._values.get(words[0], b"0")) + int(words[1])
            self._values[words[0]] = b"%d" % total
            return total
        return ValueError(f"unknown command {command.decode()}")


def written(answer: Any) -> bytes:
    """An answer as the protocol (version 3) writes it."""
    if answer is None:
        return b"_\r\n"
    if isinstance(answer, ValueError):
        return f"-ERR {answer}\r\n".encode()
    if isinstance(answer, str):
        return f"+{answer}\r\n".encode()
    if isinstance(answer, int):
        return b":%d\r\n" % answer
    if isinstance(answer, bytes):
        return b"$%d\r\n%s\r\n" % (len(answer), answer)
    pairs = [written(one) for pair in answer.items() for one in pair]
    return b"%%%d\r\n%s" % (len(answer), b"".join(pairs))
