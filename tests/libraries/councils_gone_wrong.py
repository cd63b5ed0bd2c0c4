"""The council of `council`, each time with one mistake that is made in such code."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import openai

from tests.libraries.council import PATIENCE_S, Council


class Forgetful(Council):
    """Who was asked twice is heard the second time alone: what the first attempt says after all is forgotten."""

    async def vote(self, agent: str, question: str) -> None:
        first = asyncio.create_task(self.ask(agent, question))
        try:
            word = await asyncio.wait_for(asyncio.shield(first), PATIENCE_S)
        except TimeoutError:
            word = await self.ask(agent, question)
        finally:
            first.cancel()
        if word is not None:
            self.votes[agent] = word

    def count(self, agent: str, word: str) -> None:
        pass


class CountsTwice(Council):
    """Waits for all that was asked, and counts answers, not agents."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.counted: list[tuple[str, str]] = []

    async def vote(self, agent: str, question: str) -> None:
        asked = [asyncio.create_task(self.ask(agent, question))]
        try:
            await asyncio.wait(asked, timeout=PATIENCE_S)
            if not asked[0].done():
                asked.append(asyncio.create_task(self.ask(agent, question)))
            await asyncio.wait(asked)
        finally:
            for task in asked:
                task.cancel()

    def count(self, agent: str, word: str) -> None:
        self.counted.append((agent, word))

    def voters(self) -> tuple[str, ...]:
        return tuple(agent for agent, _ in self.counted)

    def verdict(self) -> str | None:
        for word, number in Counter(word for _, word in self.counted).most_common(1):
            return word if 2 * number > len(self.agents) else None
        return None


class StoresTwice(Council):
    """Whoever is cancelled while it stores does not know that it has."""

    async def store(self, verdict: str) -> None:
        if self.storing is None:
            await self.write(verdict)
            self.storing = asyncio.create_task(asyncio.sleep(0))


class Impatient(Council):
    """Tries again at once where nobody says how long to wait, and as often as it takes."""

    async def ask(self, agent: str, question: str) -> str | None:
        while (word := await super().ask(agent, question)) is None:
            pass
        return word

    def pause_s(self, error: openai.RateLimitError, otherwise_s: float) -> float:
        return float(error.response.headers.get("retry-after", 0))
