"""The workers of `coordinator`, where a post has one letter, whoever writes it and however often."""

from __future__ import annotations

from coordinator import Worker


class FixedWorker(Worker):
    async def tell(self, post: str, verdict: str) -> None:
        """The first verdict is the one that counts: redis decides which that is, in one command."""
        await self.redis.hsetnx("letters", post, verdict)
