"""The moderation under simulation: two workers, one post, a model that says yes or no."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import openai
from coordinator import Worker
from fixed import FixedWorker
from redis.asyncio import Redis
from redis.exceptions import RedisError
from redis_stand_in import RedisStandIn

from sim import Program
from sim.live.agents import one_of

POST = "Cheap watches, click here"


def system(fixed: bool = False) -> Program:
    async def main(world: Any) -> None:
        store = RedisStandIn(posts=[POST])
        world.serve("redis:6379", store.talk)
        world.serve_openai("gateway:4000", answers=one_of("yes", "no"))
        redis = Redis(host="redis", decode_responses=True, socket_timeout=None, socket_connect_timeout=None)
        async with openai.AsyncOpenAI(base_url="http://gateway:4000/v1", api_key="none", max_retries=0) as model:
            kind = FixedWorker if fixed else Worker
            workers = [world.task("worker", kind(name, redis, model).work(rounds=2)) for name in ("one", "two")]
            await asyncio.wait(workers)
        with suppress(RedisError):
            await redis.aclose()
        letters = store.values.get("letters", [])
        assert len(letters) <= 1, f"the author gets {len(letters)} letters: {', '.join(letters)}"
        assert letters or store.values["posts"], "the post is crossed off, and its author was not told"

    return Program(main, faults="agent_timeout:1@openai")
