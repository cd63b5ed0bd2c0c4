"""Faults at random moments, for strategies that order events themselves.

How many of the budget's faults a schedule has is drawn, and at which steps; at such a step (or the next
at which a fault can strike) one strikes: every kind that can is as likely as every other, then every
action of that kind. Were each fault action as likely as each event, a budget would be spent at once:
there are more ways to be struck than to go on.
"""

from __future__ import annotations

from sim.base.mixer import between, derive, key64, mix, stream
from sim.graph.action import Action
from sim.graph.graph import Graph
from sim.strategy.base import base_of, least

UNLIMITED_AS = 3
"""Faults of an entry without limit."""


class Strikes:
    """The faults of one schedule of about `length` steps."""

    def __init__(self, graph: Graph, seed: int, length: int) -> None:
        self._draws = derive(seed, "strikes")
        entries = graph.budget.entries
        most = sum(UNLIMITED_AS if entry.count is None else entry.count for entry in entries)
        number = between(stream(self._draws, 0), 0, most)
        self._due = sorted(between(stream(self._draws, i), 0, length - 1) for i in range(1, number + 1))
        self._struck = 0

    def strike(self, step: int, actions: list[Action]) -> Action | None:
        """The fault among `actions` that strikes at this step, if one is due."""
        if self._struck == len(self._due) or self._due[self._struck] > step:
            return None
        by_kind: dict[str, list[Action]] = {}
        for action in actions:
            if action.entries:
                by_kind.setdefault(action.strikes[-1], []).append(action)
        if not by_kind:
            return None
        self._struck += 1
        base = base_of(self._draws, step)
        kind = min(sorted(by_kind), key=lambda kind: mix(base ^ key64(kind.encode())))
        return least(by_kind[kind], base)
