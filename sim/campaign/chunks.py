"""Which numbers of schedules are done, which are handed out, which come next.

The numbers are divided into chunks of one size, from 0. A chunk belongs to the campaign, not to its runner: so its
result is the same whoever runs it, in whatever order. Of one in which the time was up the first part is done, and the
rest is a chunk of its own.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Chunk(NamedTuple):
    """The schedules `first` to `first + size - 1`."""

    first: int
    size: int


class Chunks:
    """The chunks of a campaign of `total` schedules (None: without end); from each number in `done` so many are done."""

    def __init__(self, size: int, total: int | None, done: Mapping[int, int] = MappingProxyType({})) -> None:
        self.size = size
        self.total = total
        self._done = dict(done)
        self._next = 0
        self._back: list[int] = []
        self._low = 0
        self._advance()

    def take(self) -> Chunk | None:
        """The lowest chunk that is neither done nor handed out, or None."""
        if self._back:
            return self._chunk(heapq.heappop(self._back))
        while self._next in self._done:
            self._next += self._done[self._next]
        if self.total is not None and self._next >= self.total:
            return None
        chunk = self._chunk(self._next)
        self._next += chunk.size
        return chunk

    def put_back(self, chunk: Chunk) -> None:
        """A chunk that was handed out must be run again."""
        heapq.heappush(self._back, chunk.first)

    def finish(self, chunk: Chunk, size: int) -> None:
        """The first `size` schedules of a chunk are done; the others, if any, must be run."""
        if size:
            self._done[chunk.first] = size
        if size < chunk.size:
            heapq.heappush(self._back, chunk.first + size)
        self._advance()

    @property
    def low(self) -> int:
        """The lowest number that is not done: everything below is."""
        return self._low

    @property
    def is_done(self) -> bool:
        return self.total is not None and self._low >= self.total

    def _chunk(self, first: int) -> Chunk:
        rest = self.size - first % self.size
        return Chunk(first, rest if self.total is None else min(rest, self.total - first))

    def _advance(self) -> None:
        while self._low in self._done:
            self._low += self._done.pop(self._low)
        self._next = max(self._next, self._low)
