"""mcp over HTTP: agents call a tool of a server that stands on starlette and uvicorn."""

from __future__ import annotations

import asyncio
from typing import Any

import anyio
import httpx2
import uvicorn
from mcp import ClientSession, MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp.server import MCPServer

from sim import Program
from tests.libraries.coordinator import coordinate, program

URL = "http://localhost:8000/mcp"


def make_server() -> MCPServer:
    server = MCPServer("squares", log_level="CRITICAL")

    @server.tool()
    async def square(number: int) -> int:
        await anyio.sleep(0.1)
        return number**2

    asked: list[int] = []

    @server.tool()
    async def square_of_last(number: int) -> int:
        """Wrong: what is asked is kept where all sessions see it."""
        asked.append(number)
        await anyio.sleep(0.1)
        return asked[-1] ** 2

    return server


async def ask(tool: str, question: int) -> int | None:
    try:
        async with streamable_http_client(URL) as (read, write), ClientSession(read, write) as session:
            await session.initialize()
            result = await session.call_tool(tool, {"number": question})
            return int(result.content[0].text)  # type: ignore[union-attr]
    except* (MCPError, httpx2.TransportError):
        pass
    return None


def system(planted: bool = False) -> Program:
    async def main(world: Any) -> None:
        config = uvicorn.Config(
            make_server().streamable_http_app(json_response=True, stateless_http=True), port=8000, log_config=None
        )
        server = uvicorn.Server(config)
        serving = world.task("server", server.serve())
        while not server.started:
            await asyncio.sleep(0.1)
        tool = "square_of_last" if planted else "square"
        await coordinate(world, lambda question: ask(tool, question))
        server.should_exit = True
        await serving

    return program(main)
