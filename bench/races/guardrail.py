"""Guardrail that goes on: a run is cancelled while it asks its model, and what it had started beside goes on without it."""

from __future__ import annotations

import asyncio
from typing import Any

from sim import Program


async def model(question: str) -> str:
    await asyncio.sleep(3)
    return question.upper()


async def guardrail(question: str) -> None:
    """Asks another model whether the question is one to answer, and that costs money."""
    await asyncio.sleep(2)
    if "secret" in question:
        raise PermissionError(question)


async def run(question: str) -> str:
    checked = asyncio.create_task(guardrail(question), name="guardrail")
    answer = await model(question)
    await checked
    return answer


async def grouped_run(question: str) -> str:
    """What is started in a group ends with it."""
    async with asyncio.TaskGroup() as group:
        group.create_task(guardrail(question), name="guardrail")
        return await model(question)


def system(fixed: bool = False) -> Program:
    async def main(world: Any) -> None:
        await asyncio.wait([world.task("run", (grouped_run if fixed else run)("why"))])

    return Program(main, faults="cancel:1@run")
