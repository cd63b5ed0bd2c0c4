"""Drawn: the schedule is a string of bytes, which is drawn, and may be shrunk, elsewhere."""

from __future__ import annotations

from typing import Any

from sim.strategy.canonical import Canonical
from sim.world.choice import Choice, Start
from sim.world.world import AnyWorld


class Drawn:
    """Reads one pick after another from `data`: 0 takes what the canonical schedule would take next, n the
    n-th enabled choice in the order of the canonical encodings, modulo their number. After the data it continues in the
    canonical order to quiescence.

    So every string of bytes is a schedule, the empty one and zeros are the canonical schedule, and each byte made zero
    is one deviation less.
    """

    name = "drawn"
    seed = 0
    now_ms = None

    def __init__(self, data: bytes) -> None:
        self.data = data

    def begin(self, world: AnyWorld) -> Start[Any]:
        self._world = world
        self._at = 0
        self._usual = Canonical()
        starts = world.starts()
        start = starts[self._next(len(starts)) % len(starts)] if len(starts) > 1 else starts[0]
        return self._usual.begin(world, start)

    def pick(self, at: Any) -> Choice | None:
        if self._at < len(self.data):
            choices: list[Choice] = sorted(self._world.enabled(at), key=lambda choice: choice.code)
            number = self._next(len(choices))
            if number and choices:
                return choices[(number - 1) % len(choices)]
        return self._usual.pick(at)

    def _next(self, width: int) -> int:
        """The next number, from as many bytes as `width` takes."""
        size = 1
        while width >= 256**size:
            size += 1
        number = int.from_bytes(self.data[self._at : self._at + size], "big")
        self._at += size
        return number

    def took(self, choice: Choice, at: Any) -> None:
        self._usual.took(choice, at)
