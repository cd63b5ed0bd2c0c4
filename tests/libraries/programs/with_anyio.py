"""anyio: agents ask over a stream of requests and one of answers each, with a time limit."""

from __future__ import annotations

from typing import Any

import anyio
from anyio.abc import ObjectReceiveStream, ObjectSendStream

from sim import Program
from tests.libraries.coordinator import coordinate, program

Request = tuple[int, ObjectSendStream[int]]


async def answer(requests: ObjectReceiveStream[Request], limiter: anyio.CapacityLimiter) -> None:
    async with requests:
        async for question, replies in requests:
            async with limiter, replies:
                await anyio.sleep(0.1)
                try:
                    await replies.send(question**2)
                except anyio.BrokenResourceError:
                    continue  # nobody waits for it any more


async def ask(requests: ObjectSendStream[Request], question: int) -> int | None:
    send, receive = anyio.create_memory_object_stream[int](1)
    async with receive:
        with anyio.move_on_after(5):
            await requests.send((question, send))
            return await receive.receive()
    return None


def system(planted: bool = False) -> Program:
    async def main(world: Any) -> None:
        requests, asked = anyio.create_memory_object_stream[Request]()
        limiter = anyio.CapacityLimiter(1)
        async with anyio.create_task_group() as group:
            for _ in range(2):
                group.start_soon(answer, asked.clone(), limiter)
            async with requests:
                await coordinate(world, lambda question: ask(requests, question), planted=planted)
            asked.close()

    return program(main)
