"""A count that threads share, as people write it, and as it is right."""

from __future__ import annotations

import threading


class Counter:
    count = 0

    def add(self) -> None:
        now = self.count
        self.count = now + 1


class Careful(Counter):
    def __init__(self) -> None:
        self.lock = threading.Lock()

    def add(self) -> None:
        with self.lock:
            super().add()
