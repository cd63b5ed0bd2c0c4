"""requests: agents ask in threads, by a client that knows nothing of asyncio."""

from __future__ import annotations

import asyncio
from typing import Any

import requests

from sim import Program
from tests.libraries.coordinator import coordinate, program
from tests.libraries.service import Service, squares

URL = "http://squares:8000/ask"


def ask_in_a_thread(question: int) -> int | None:
    try:
        response = requests.post(URL, json={"question": question}, timeout=5)
    except requests.Timeout:
        return None
    answer: int = response.json()["answer"]
    return answer


async def ask(question: int) -> int | None:
    return await asyncio.to_thread(ask_in_a_thread, question)


def system(planted: bool = False) -> Program:
    async def main(world: Any) -> None:
        service = Service(squares)
        world.serve("squares:8000", service.talk)
        await coordinate(world, ask, planted=planted)
        await service.left()

    return program(main)
