"""httpcore: agents read their answers piece by piece, over a pool of connections."""

from __future__ import annotations

import json
from typing import Any

import httpcore

from sim import Program
from tests.libraries.coordinator import coordinate, program
from tests.libraries.service import Service, squares

URL = "http://squares:8000/ask"
TIMES = {"timeout": {"connect": 5.0, "read": 5.0, "pool": 5.0}}


async def ask(pool: httpcore.AsyncConnectionPool, question: int) -> int | None:
    content = json.dumps({"question": question}).encode()
    try:
        async with pool.stream("POST", URL, content=content, extensions=TIMES) as response:
            answer: int = json.loads(b"".join([chunk async for chunk in response.aiter_stream()]))["answer"]
    except httpcore.TimeoutException:
        return None
    return answer


def system(planted: bool = False) -> Program:
    async def main(world: Any) -> None:
        service = Service(squares)
        world.serve("squares:8000", service.talk)
        async with httpcore.AsyncConnectionPool(max_connections=1) as pool:
            await coordinate(world, lambda question: ask(pool, question), planted=planted)
        await service.left()

    return program(main)
