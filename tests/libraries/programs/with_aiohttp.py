"""aiohttp: its client asks its server, over the session's pool of connections."""

from __future__ import annotations

from typing import Any

import aiohttp
from aiohttp import web

from sim import Program
from tests.libraries.coordinator import coordinate, program

URL = "http://squares:8080/ask"


async def square(request: web.Request) -> web.Response:
    posted = await request.json()
    return web.json_response({"answer": posted["question"] ** 2})


async def ask(session: aiohttp.ClientSession, question: int) -> int | None:
    try:
        async with session.post(URL, json={"question": question}) as response:
            answer: int = (await response.json())["answer"]
    except (aiohttp.ClientError, TimeoutError):
        return None
    return answer


def system(planted: bool = False) -> Program:
    async def main(world: Any) -> None:
        application = web.Application()
        application.router.add_post("/ask", square)
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, "squares", 8080).start()
        timeout, connector = aiohttp.ClientTimeout(total=5), aiohttp.TCPConnector(limit=1)
        async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
            await coordinate(world, lambda question: ask(session, question), planted=planted)
        await runner.cleanup()

    return program(main)
