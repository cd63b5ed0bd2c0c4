"""A travel desk. An agent finds the flight that a traveller wishes for, and books it; who waits too long is served anew."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import httpx
from pydantic_ai import Agent, RunContext
from pydantic_ai.exceptions import AgentRunError
from pydantic_ai.models import Model

PATIENCE_S, PAUSE_S, ATTEMPTS = 30, 2, 3


@dataclass
class Trip:
    """What a run of the agent is about."""

    traveller: str
    airline: httpx.AsyncClient

    async def reserve(self, flight: str) -> str:
        """A seat on a flight: its reference."""
        answer = await self.airline.post("/seats", json={"traveller": self.traveller, "flight": flight})
        answer.raise_for_status()
        return str(answer.json()["reference"])


agent = Agent(deps_type=Trip, instructions="Book the flight that fits best. Then say its reference, and nothing else.")


@agent.tool
async def book(trip: RunContext[Trip], flight: str) -> str:
    """Book a seat on a flight, such as LH 455."""
    return await trip.deps.reserve(flight)


async def arrange(model: Model, trip: Trip, wish: str) -> str | None:
    """The reference of what was booked; None: nobody could be reached."""
    for _ in range(ATTEMPTS):
        try:
            return (await agent.run(wish, model=model, deps=trip, model_settings={"timeout": PATIENCE_S})).output
        except (AgentRunError, httpx.HTTPError):
            await asyncio.sleep(PAUSE_S)
    return None
