"""mcp over streams in memory: agents call a tool of one server, each in a session of his own."""

from __future__ import annotations

from typing import Any

import anyio
from mcp import Client, MCPError
from mcp.server import MCPServer

from sim import Program
from tests.libraries.coordinator import coordinate, program


def make_server() -> MCPServer:
    server = MCPServer("squares", log_level="WARNING")

    @server.tool()
    async def square(number: int) -> int:
        await anyio.sleep(0.1)
        return number**2

    return server


async def ask(server: MCPServer, question: int) -> int | None:
    try:
        async with Client(server, mode="legacy", read_timeout_seconds=5) as client:
            result = await client.call_tool("square", {"number": question})
            return int(result.content[0].text)  # type: ignore[union-attr]
    except* MCPError:
        pass
    return None


def system(planted: bool = False) -> Program:
    async def main(world: Any) -> None:
        server = make_server()
        await coordinate(world, lambda question: ask(server, question), planted=planted)

    return program(main)
