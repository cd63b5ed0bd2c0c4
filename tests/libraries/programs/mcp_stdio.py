"""mcp over stdio: each agent starts a server of its own as a process, and calls its tool. The server is mcp's too."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
from mcp import Client, MCPError, StdioServerParameters
from mcp.server import MCPServer
from mcp.server.stdio import stdio_server

from sim import Program

COMMAND = ["npx", "-y", "server-squares"]
QUESTIONS = (2, 3)


class Lines:
    """The stdin and stdout of a process, as the server of mcp reads and writes them."""

    def __init__(self, process: Any) -> None:
        self._process = process

    def __aiter__(self) -> Lines:
        return self

    async def __anext__(self) -> str:
        line = await self._process.stdin.readline()
        if not line:
            raise StopAsyncIteration
        return str(line.decode())

    async def write(self, text: str) -> None:
        self._process.stdout.write(text.encode())

    async def flush(self) -> None:
        await self._process.stdout.drain()


async def serve(process: Any) -> None:
    squares = MCPServer("squares", log_level="CRITICAL")

    @squares.tool()
    async def square(number: int) -> int:
        await anyio.sleep(0.1)
        return number**2

    lines: Any = Lines(process)
    async with stdio_server(lines, lines) as (reads, writes):
        server = squares._lowlevel_server
        await server.run(reads, writes, server.create_initialization_options())


async def ask(question: int) -> int:
    """Raises `MCPError` where the server has crashed."""
    server = StdioServerParameters(command=COMMAND[0], args=COMMAND[1:])
    async with Client(server, mode="legacy", read_timeout_seconds=5) as client:
        result = await client.call_tool("square", {"number": question})
        return int(result.content[0].text)  # type: ignore[union-attr]


async def agent(question: int) -> None:
    try:
        assert await ask(question) == question**2
    except* MCPError:
        pass


async def hasty(question: int) -> None:
    """Wrong: it forgets that a server may crash."""
    assert await ask(question) == question**2


def system(
    act: Callable[[int], Awaitable[None]] = agent, faults: str = "crash:1@server", agents: int = len(QUESTIONS)
) -> Program:
    async def main(world: Any) -> None:
        world.command(COMMAND, serve, name="server")
        tasks: list[Any] = [world.task("client", act(question)) for question in QUESTIONS[:agents]]
        await asyncio.wait(tasks)

    return Program(main, faults=faults)
