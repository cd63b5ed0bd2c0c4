"""Faults at random moments, for strategies that order events themselves.

How many of the budget's faults a schedule has is drawn, and at which steps; at such a step (or the next
at which a fault can strike) one strikes: every kind that can is as likely as every other, then every
action of that kind. If each fault action were as likely as each event, a budget would be spent at once: there are more
faults than events.

In a world where faults ripen, a schedule that would have none has one that waits until it is ripe: who is struck was woken by
another, or has given way, and has not gone on since. What he was given then is easily lost, and such moments are few.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from sim.base.mixer import between, derive, key64, mix, stream
from sim.strategy.base import base_of, least
from sim.world.choice import Choice
from sim.world.world import AnyWorld

NEVER = sys.maxsize
UNLIMITED_AS = 3
"""Faults of an entry without limit."""


class Strikes:
    """The faults of one schedule of about `length` steps."""

    def __init__(self, world: AnyWorld, seed: int, length: int) -> None:
        self._draws = derive(seed, "strikes")
        entries = world.faults
        most = sum(UNLIMITED_AS if entry.count is None else entry.count for entry in entries)
        number = between(stream(self._draws, 0), 0, most)
        self._due = sorted(between(stream(self._draws, i), 0, length - 1) for i in range(1, number + 1))
        self._due.append(NEVER)
        self._waits = world.ripens and not number
        if self._waits:
            self._due.insert(0, between(stream(self._draws, 1), 0, length - 1))
        self._struck = 0

    def is_due(self, step: int) -> bool:
        """Whether a fault is to strike at this step, if one can."""
        return self._due[self._struck] <= step

    def strike(self, step: int, actions: Sequence[Choice]) -> Choice | None:
        """The fault among `actions` that strikes at this step, where one is due; None if there is none."""
        by_kind: dict[str, list[Choice]] = {}
        for action in actions:
            if action.strikes and (action.ripe or not self._waits):
                by_kind.setdefault(action.strikes[-1], []).append(action)
        if not by_kind:
            return None
        self._struck += 1
        base = base_of(self._draws, step)
        kind = min(sorted(by_kind), key=lambda kind: mix(base ^ key64(kind.encode())))
        return least(by_kind[kind], base)
