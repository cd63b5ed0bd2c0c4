"""autogen-core: a runtime, and agents that send each other messages."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from autogen_core import AgentId, MessageContext, RoutedAgent, SingleThreadedAgentRuntime, message_handler

from sim import Program
from tests.libraries.coordinator import coordinate, program


@dataclass
class Question:
    number: int


@dataclass
class Answer:
    number: int


class Squaring(RoutedAgent):
    def __init__(self) -> None:
        super().__init__("Squares numbers.")

    @message_handler
    async def square(self, message: Question, ctx: MessageContext) -> Answer:
        await asyncio.sleep(0.1)
        return Answer(message.number**2)


class Asking(RoutedAgent):
    def __init__(self) -> None:
        super().__init__("Asks the one that squares.")

    @message_handler
    async def ask(self, message: Question, ctx: MessageContext) -> Answer:
        answer: Answer = await self.send_message(message, AgentId("squaring", "default"))
        return answer


async def ask(runtime: SingleThreadedAgentRuntime, question: int) -> int:
    answer: Answer = await runtime.send_message(Question(question), AgentId("asking", str(question)))
    return answer.number


def system(planted: bool = False) -> Program:
    async def main(world: Any) -> None:
        runtime = SingleThreadedAgentRuntime()
        await Squaring.register(runtime, "squaring", Squaring)
        await Asking.register(runtime, "asking", Asking)
        runtime.start()
        await coordinate(world, lambda question: ask(runtime, question), planted=planted)
        await runtime.stop_when_idle()

    return program(main)
