"""httpx: agents share a client and its pool of connections."""

from __future__ import annotations

from typing import Any

import httpx

from sim import Program
from tests.libraries.coordinator import coordinate, program
from tests.libraries.service import Service, squares

URL = "http://squares:8000/ask"


async def ask(client: httpx.AsyncClient, question: int) -> int | None:
    try:
        response = await client.post(URL, json={"question": question}, timeout=5)
    except httpx.TimeoutException:
        return None
    answer: int = response.json()["answer"]
    return answer


async def ask_and_leak(question: int) -> int | None:
    """Wrong: who is cancelled leaves a connection open."""
    client = httpx.AsyncClient()
    answer = await ask(client, question)
    await client.aclose()
    return answer


def system(planted: bool = False) -> Program:
    async def main(world: Any) -> None:
        service = Service(squares)
        world.serve("squares:8000", service.talk)
        async with httpx.AsyncClient(limits=httpx.Limits(max_connections=1)) as client:
            await coordinate(world, ask_and_leak if planted else lambda question: ask(client, question))
        await service.left()

    return program(main)
