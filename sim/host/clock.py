"""The wall clock of a host, in milliseconds since 1970. It never goes back, whatever the machine's does."""

from __future__ import annotations

import time
from collections.abc import Callable

BACK_MS = 1_000
"""How far back it has to go for anybody to be told."""


class SteadyClock:
    """Called, it tells the time. `warn` is told once when the machine's clock has gone back: times stand still until it has
    caught up. Timers do not depend on it."""

    def __init__(
        self,
        warn: Callable[[str], None],
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._warn, self._now_ms = warn, now_ms
        self._last_ms = 0
        self._warned = False

    def begin_at(self, last_ms: int) -> None:
        """Tells nothing before this, which a host before this one has told."""
        self._last_ms = max(self._last_ms, last_ms)

    def __call__(self) -> int:
        now = self._now_ms()
        if now >= self._last_ms:
            self._last_ms = now
        elif self._last_ms - now >= BACK_MS and not self._warned:
            self._warned = True
            behind = (self._last_ms - now) / 1000
            self._warn(f"the clock has gone back by {behind:.0f} s: times stand still until it has caught up")
        return self._last_ms
