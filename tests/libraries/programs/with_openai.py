"""openai: agents ask a model, whole and streamed, with retries and a time limit."""

from __future__ import annotations

from typing import Any

import openai

from sim import Program
from tests.libraries import completions
from tests.libraries.coordinator import coordinate, program
from tests.libraries.service import Service

MODEL = "gpt-4o-mini"


async def ask(client: openai.AsyncOpenAI, question: int) -> int | None:
    messages: Any = [{"role": "user", "content": f"What is the square of {question}?"}]
    try:
        if question % 2:
            stream = await client.chat.completions.create(model=MODEL, messages=messages, stream=True)
            async with stream:
                return int("".join([chunk.choices[0].delta.content or "" async for chunk in stream]))
        whole = await client.chat.completions.create(model=MODEL, messages=messages)
        return int(whole.choices[0].message.content or "")
    except openai.APIConnectionError:
        return None


def system(planted: bool = False) -> Program:
    async def main(world: Any) -> None:
        service = Service(completions.openai)
        world.serve("openai:8000", service.talk)
        client = openai.AsyncOpenAI(base_url="http://openai:8000/v1", api_key="none", timeout=5, max_retries=1)
        async with client:
            await coordinate(world, lambda question: ask(client, question), planted=planted)
        await service.left()

    return program(main)
