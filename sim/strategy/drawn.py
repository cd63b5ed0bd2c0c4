"""Drawn: the schedule is in a string of bytes, which somebody else draws, and may shrink."""

from __future__ import annotations

from sim.graph.action import Action
from sim.graph.graph import Graph, Start, State
from sim.strategy.canonical import Canonical


class Drawn:
    """Reads one pick after another from `data`: 0 takes what the canonical schedule would take next, n the
    n-th enabled action in the order of the canonical encodings, counted round. Behind the data it goes on
    in the canonical order to quiescence.

    So every string of bytes is a schedule, the empty one and zeros are the canonical schedule, and each
    byte made zero is a deviation less.
    """

    name = "drawn"
    seed = 0
    now_ms = None

    def __init__(self, data: bytes) -> None:
        self.data = data

    def begin(self, graph: Graph) -> Start:
        self._graph = graph
        self._at = 0
        self._usual = Canonical()
        starts = graph.starts()
        start = starts[self._next(len(starts)) % len(starts)] if len(starts) > 1 else starts[0]
        return self._usual.begin(graph, start)

    def pick(self, state: State) -> Action | None:
        if self._at < len(self.data):
            actions = self._graph.actions(state)
            number = self._next(len(actions))
            if number and actions:
                return actions[(number - 1) % len(actions)]
        return self._usual.pick(state)

    def _next(self, width: int) -> int:
        """The next number, from as many bytes as `width` takes."""
        size = 1
        while width >= 256**size:
            size += 1
        number = int.from_bytes(self.data[self._at : self._at + size], "big")
        self._at += size
        return number

    def took(self, action: Action) -> None:
        self._usual.took(action)
