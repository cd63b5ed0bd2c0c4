"""openai-agents: a runner for each question, and a tool that is a plain function, which runs in a thread."""

from __future__ import annotations

from typing import Any

import agents
import openai

from sim import Program
from tests.libraries import completions
from tests.libraries.coordinator import coordinate, program
from tests.libraries.service import Service

agents.set_tracing_disabled(True)  # traces are sent to a host that no run has


@agents.function_tool
def square(number: int) -> int:
    """The square of a number."""
    return number**2


async def ask(agent: agents.Agent[None], question: int) -> int | None:
    try:
        result = await agents.Runner.run(agent, f"What is the square of {question}?")
    except openai.APIConnectionError:
        return None
    return int(result.final_output)


def system(planted: bool = False) -> Program:
    async def main(world: Any) -> None:
        service = Service(completions.openai)
        world.serve("openai:8000", service.talk)
        client = openai.AsyncOpenAI(base_url="http://openai:8000/v1", api_key="none", timeout=5)
        async with client:
            model = agents.OpenAIChatCompletionsModel("gpt-4o-mini", client)
            agent = agents.Agent[None](name="squares", tools=[square], model=model)
            await coordinate(world, lambda question: ask(agent, question), planted=planted)
        await service.left()

    return program(main)
