"""anthropic: agents ask a model, whole and streamed, with retries and a time limit."""

from __future__ import annotations

from typing import Any

import anthropic
import httpx2

from sim import Program
from tests.libraries import completions
from tests.libraries.coordinator import coordinate, program
from tests.libraries.service import Service

MODEL = "claude"


async def ask(client: anthropic.AsyncAnthropic, question: int) -> int | None:
    messages: Any = [{"role": "user", "content": f"What is the square of {question}?"}]
    try:
        if question % 2:
            async with client.messages.stream(model=MODEL, max_tokens=9, messages=messages) as stream:
                return int("".join([text async for text in stream.text_stream]))
        whole: Any = await client.messages.create(model=MODEL, max_tokens=9, messages=messages)
        return int(whole.content[0].text)
    except (anthropic.APIConnectionError, httpx2.TimeoutException):  # in a stream it comes as it is
        return None


def system(planted: bool = False) -> Program:
    async def main(world: Any) -> None:
        service = Service(completions.anthropic)
        world.serve("anthropic:8000", service.talk)
        client = anthropic.AsyncAnthropic(base_url="http://anthropic:8000", api_key="none", timeout=5, max_retries=1)
        async with client:
            await coordinate(world, lambda question: ask(client, question), planted=planted)
        await service.left()

    return program(main)
