"""pydantic-ai: agents over the API of OpenAI, each with a tool that is a plain function, which runs in a thread."""

from __future__ import annotations

from typing import Any

import openai
from pydantic_ai import Agent
from pydantic_ai.exceptions import ModelAPIError
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from sim import Program
from tests.libraries import completions
from tests.libraries.coordinator import coordinate, program
from tests.libraries.service import Service


def square(number: int) -> int:
    """The square of a number."""
    return number**2


async def ask(agent: Agent[None, str], question: int) -> int | None:
    try:
        result = await agent.run(f"What is the square of {question}?")
    except ModelAPIError:
        return None
    return int(result.output)


def system(planted: bool = False) -> Program:
    async def main(world: Any) -> None:
        service = Service(completions.openai)
        world.serve("openai:8000", service.talk)
        client = openai.AsyncOpenAI(base_url="http://openai:8000/v1", api_key="none", timeout=5)
        async with client:
            model = OpenAIChatModel("gpt-4o-mini", provider=OpenAIProvider(openai_client=client))
            agent: Agent[None, str] = Agent(model, tools=[square])
            await coordinate(world, lambda question: ask(agent, question), planted=planted)
        await service.left()

    return program(main)
