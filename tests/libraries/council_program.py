"""The program that runs a council: agents that answer, a store, and a user who may be cancelled and then asks again."""

from __future__ import annotations

import asyncio
from typing import Any

import openai

from sim import Program, emit
from sim.live.agents import one_of
from tests.libraries import councils_gone_wrong
from tests.libraries.council import Council
from tests.libraries.council_judged import MONITORS, Stored

AGENTS = ("gpt-4o", "gpt-4o-mini", "o3-mini")
FAULTS = "agent_timeout:2, rate_limited:1, empty_response:1, server_error:1, cancel:1@user"


async def store(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while line := await reader.readline():
        emit(Stored(line.decode().strip()))
        writer.write(b"stored\n")


def system(mistake: str = "", agents: int = len(AGENTS), plan: str = FAULTS) -> Program:
    """`mistake`: the name of a class of `councils_gone_wrong`."""
    kind: type[Council] = getattr(councils_gone_wrong, mistake) if mistake else Council

    async def main(world: Any) -> None:
        world.serve_openai("openai:80", answers=one_of("yes", "no"))
        world.serve("store:7000", store)
        async with openai.AsyncOpenAI(
            base_url="http://openai/v1", api_key="none", max_retries=0, timeout=120
        ) as client:
            council = kind(client, AGENTS[:agents])
            user = world.task("user", council.decide("Shall we ship it?"))
            await asyncio.wait([user])
            if user.cancelled():
                await world.task("user", council.decide("Shall we ship it?"))
            else:
                await user

    return Program(main, monitors=MONITORS, faults=plan)
