"""What all programs have in common: a coordinator that asks several agents, and what is judged of their answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from bench.races.reply import Answered, OwnAnswer
from sim import Program, emit

QUESTIONS = (2, 3)
Ask = Callable[[int], Coroutine[Any, Any, int | None]]
"""Asks for the square of a number; None: there was no answer."""


async def agent(ask: Ask, question: int) -> None:
    answer = await ask(question)
    if answer is not None:
        emit(Answered(question, answer))


async def keep_turn(turn: asyncio.Semaphore, asked: Awaitable[None]) -> None:
    """Wrong: who is cancelled keeps his turn, and nobody else gets it."""
    await turn.acquire()
    await asked
    turn.release()


async def coordinate(world: Any, ask: Ask, *, planted: bool = False) -> None:
    """Asks all agents at once, and waits until each has answered or has failed."""
    asked = [agent(ask, question) for question in QUESTIONS]
    if planted:
        turn = asyncio.Semaphore(1)
        asked = [keep_turn(turn, one) for one in asked]
    await asyncio.wait([world.task("client", one) for one in asked])


def program(main: Callable[[Any], Awaitable[None]]) -> Program:
    """`main`, judged: everybody is given his own answer, also where one of them is cancelled."""
    return Program(main, monitors={"own_answer": OwnAnswer()}, faults="cancel:1@client")
