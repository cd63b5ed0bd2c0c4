"""A council: agents are asked at once, who is late is asked once more, and what most of them say is stored. Ordinary code over
openai's client, as somebody would write it; the mistakes that people make in it are in `councils_gone_wrong`."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress

import openai

from sim import emit
from tests.libraries.council_judged import Decided, Heard, Refused

PATIENCE_S, DEADLINE_S = 10, 60
ATTEMPTS, PAUSE_S = 3, 1


class Council:
    def __init__(self, client: openai.AsyncOpenAI, agents: tuple[str, ...]) -> None:
        self.client, self.agents = client, agents
        self.votes: dict[str, str] = {}
        self.storing: asyncio.Task[None] | None = None

    async def decide(self, question: str) -> str | None:
        """What most agents say; None: too few have answered in time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(DEADLINE_S):
                await asyncio.gather(*(self.vote(agent, question) for agent in self.agents))
        verdict = self.verdict()
        emit(Decided(verdict or "none", self.voters()))
        if verdict is not None:
            await self.store(verdict)
        return verdict

    async def vote(self, agent: str, question: str) -> None:
        """Asks, and once more where no answer comes: the first that does counts."""
        left = {asyncio.create_task(self.ask(agent, question))}
        try:
            await asyncio.wait(left, timeout=PATIENCE_S)
            if agent not in self.votes:
                left.add(asyncio.create_task(self.ask(agent, question)))
            while left and agent not in self.votes:
                _, left = await asyncio.wait(left, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in left:
                task.cancel()

    async def ask(self, agent: str, question: str) -> str | None:
        for attempt in range(ATTEMPTS):
            pause_s = float(PAUSE_S * 2**attempt)
            try:
                answer = await self.client.chat.completions.create(
                    model=agent, messages=[{"role": "user", "content": question}]
                )
                word = (answer.choices[0].message.content or "").strip()
                if word:
                    emit(Heard(agent, word))
                    self.count(agent, word)
                    return word
            except openai.RateLimitError as error:
                emit(Refused(agent))
                pause_s = self.pause_s(error, pause_s)
            except (openai.APIError, ValueError):
                pass
            await asyncio.sleep(pause_s)
        return None

    def pause_s(self, error: openai.RateLimitError, otherwise_s: float) -> float:
        return float(error.response.headers.get("retry-after", otherwise_s))

    def count(self, agent: str, word: str) -> None:
        self.votes.setdefault(agent, word)

    def voters(self) -> tuple[str, ...]:
        return tuple(self.votes)

    def verdict(self) -> str | None:
        for word, number in Counter(self.votes.values()).most_common(1):
            return word if 2 * number > len(self.agents) else None
        return None

    async def store(self, verdict: str) -> None:
        """Stores it once, however often this is called, and whoever is cancelled meanwhile."""
        self.storing = self.storing or asyncio.create_task(self.write(verdict))
        await asyncio.shield(self.storing)

    async def write(self, verdict: str) -> None:
        reader, writer = await asyncio.open_connection("store", 7000)
        writer.write(f"{verdict}\n".encode())
        await reader.readline()
        writer.close()
