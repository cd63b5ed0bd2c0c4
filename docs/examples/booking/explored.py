"""The travel desk under simulation: one traveller, a model that finds one of two flights, an airline that gives away seats."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import openai
from coordinator import Trip, arrange
from fixed import FixedTrip
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from sim import Program
from sim.live.agents import Asked, Completion, OneOf, ToolCall, one_of

EITHER = one_of(*(Completion(calls=[ToolCall("book", {"flight": flight})]) for flight in ("LH 455", "LH 457")))


def answer(asked: Asked) -> str | OneOf:
    """The model books, and says what it was told."""
    return asked.prompt if asked.messages[-1]["role"] == "tool" else EITHER


async def head_of(reader: asyncio.StreamReader) -> str:
    """Of the next request; empty when there is none."""
    try:
        return (await reader.readuntil(b"\r\n\r\n")).decode()
    except asyncio.IncompleteReadError:
        return ""


class Airline:
    """Gives a seat to whoever asks; who asks with the same key again has it already."""

    def __init__(self) -> None:
        self.seats: dict[str, str] = {}

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await head_of(reader):
            fields = dict(line.lower().split(": ", 1) for line in head.splitlines()[1:] if line)
            wish = json.loads(await reader.readexactly(int(fields["content-length"])))
            seat = self.seats.setdefault(fields.get("idempotency-key", f"seat {len(self.seats)}"), wish["flight"])
            body = json.dumps({"reference": f"{seat} for {wish['traveller']}"}).encode()
            writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


def system(fixed: bool = False) -> Program:
    async def main(world: Any) -> None:
        airline = Airline()
        world.serve_openai("gateway:4000", answers=answer)
        world.serve("airline:80", airline.talk)
        async with (
            openai.AsyncOpenAI(base_url="http://gateway:4000/v1", api_key="none", max_retries=0) as client,
            httpx.AsyncClient(base_url="http://airline") as seats,
        ):
            model = OpenAIChatModel("gpt-4o", provider=OpenAIProvider(openai_client=client))
            trip = FixedTrip("ann", seats) if fixed else Trip("ann", seats)
            reference = await arrange(model, trip, "From San Francisco to Frankfurt, tomorrow.")
        booked = list(airline.seats.values())
        assert len(booked) <= 1, f"{trip.traveller} has {len(booked)} seats: {', '.join(booked)}"
        assert reference is None or reference == f"{booked[0]} for ann", f"ann was told {reference}"

    return Program(main, faults="agent_timeout:1@openai")
