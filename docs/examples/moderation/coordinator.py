"""Moderation of posts. Workers share the posts that wait in redis: who claims one asks a model, and its author is told."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import openai
from redis.asyncio import Redis
from redis.exceptions import RedisError

CLAIM_S, PAUSE_S = 30, 40
PROMPT = "May this post be shown? Answer with yes or no."


class Worker:
    def __init__(self, name: str, redis: Redis, model: openai.AsyncOpenAI) -> None:
        self.name, self.redis, self.model = name, redis, model

    async def work(self, rounds: int) -> None:
        """Looks through what waits. A claim ends by itself, so that the post of a worker that has died is free again."""
        for _ in range(rounds):
            with suppress(RedisError):
                for post in await self.redis.lrange("posts", 0, -1):
                    if await self.redis.set(f"claim:{post}", self.name, nx=True, ex=CLAIM_S):
                        await self.judge(post)
            await asyncio.sleep(PAUSE_S)

    async def judge(self, post: str) -> None:
        """Asks, has the author told, and crosses the post off. Where no answer comes it goes on waiting."""
        verdict = await self.ask(post)
        if verdict:
            await self.tell(post, verdict)
            await self.redis.lrem("posts", 0, post)

    async def tell(self, post: str, verdict: str) -> None:
        """Whoever sends the letters takes them from here."""
        await self.redis.rpush("letters", f"{post}: {verdict}")

    async def ask(self, post: str) -> str:
        try:
            answer = await self.model.chat.completions.create(
                model="gpt-4o-mini",
                messages=[{"role": "system", "content": PROMPT}, {"role": "user", "content": post}],
            )
        except openai.APIError:
            return ""
        return (answer.choices[0].message.content or "").strip().lower()
