"""FastAPI on starlette and uvicorn: a server of its own, which agents ask with httpx, and which stops when they have left."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import uvicorn
from fastapi import Depends, FastAPI, Request
from pydantic import BaseModel

from sim import Program
from tests.libraries.coordinator import coordinate, program

URL = "http://squares:8000"


class Question(BaseModel):
    question: int


class Answer(BaseModel):
    answer: int


def answering(request: Request) -> int:
    """It is no coroutine, so it is called in a thread."""
    request.app.state.asked += 1
    return int(request.app.state.asked)


def make_application() -> FastAPI:
    application = FastAPI()
    application.state.asked = 0

    @application.post("/ask")
    async def square(asked: Question, number: int = Depends(answering)) -> Answer:
        await asyncio.sleep(0.01 * number)
        return Answer(answer=asked.question**2)

    @application.post("/ask_all")
    async def square_of_all(asked: Question) -> Answer:
        """Wrong: what is asked is kept where all requests see it."""
        application.state.question = asked.question
        await asyncio.sleep(0.01)
        return Answer(answer=application.state.question**2)

    return application


async def ask(client: httpx.AsyncClient, path: str, question: int) -> int | None:
    try:
        response = await client.post(URL + path, json={"question": question})
    except httpx.TransportError:
        return None
    return int(response.json()["answer"])


def system(planted: bool = False) -> Program:
    async def main(world: Any) -> None:
        config = uvicorn.Config(make_application(), host="squares", port=8000, log_config=None)
        server = uvicorn.Server(config)
        serving = world.task("server", server.serve())
        while not server.started:
            await asyncio.sleep(0.1)
        async with httpx.AsyncClient() as client:
            path = "/ask_all" if planted else "/ask"
            await coordinate(world, lambda question: ask(client, path, question))
        server.should_exit = True
        await serving

    return program(main)
