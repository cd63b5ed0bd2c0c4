"""Partial order sampling: Yuan, Yang, Gu, "Partial order aware concurrency sampling" (CAV 2018).

Every event has a random priority, the highest comes next, and when it has happened the pending events
that race with it get new priorities. So orders are drawn, and not interleavings: what does not race is
not drawn again and again.

Departures from the paper: its events are accesses to shared memory, and two race if they touch the same
place; here two race if they happen to the same process (or are faults and a cut). A priority is the mix
of the seed, the action and how often its process has moved, which is the same as drawing it anew.
Timers, moves and restarts are events; faults strike at moments drawn apart (`sim.strategy.strikes`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sim.base.mixer import derive, mix, stream
from sim.strategy.base import choose_start, least_moving
from sim.strategy.canonical import usual_length
from sim.strategy.events import grouped, least_key
from sim.strategy.strikes import Strikes
from sim.world.choice import Choice, Start
from sim.world.world import AnyWorld


class POS:
    """Takes the pending event with the highest of random priorities."""

    name = "pos"
    now_ms = None

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self._draws = derive(seed, self.name)

    def begin(self, world: AnyWorld) -> Start[Any]:
        self._world = world
        self._step = 0
        self._moved: dict[str, int] = {}
        self._strikes = Strikes(world, self.seed, usual_length(world))
        return choose_start(world, self.seed)

    def pick(self, at: Any) -> Choice | None:
        self._step += 1
        if self._strikes.is_due(self._step - 1):
            fault = self._strikes.strike(self._step - 1, self._world.enabled(at))
            if fault is not None:
                return fault
        for group in sorted(grouped(self._world.unstruck(at)).values(), key=self._rank, reverse=True):
            way = least_moving(self._world, at, group, self._draws, self._step)
            if way is not None:
                return way
        return None

    def took(self, choice: Choice, at: Any) -> None:  # noqa: ARG002
        self._moved[choice.mover] = self._moved.get(choice.mover, 0) + 1

    def _rank(self, ways: Sequence[Choice]) -> int:
        """The priority of an event, the same whichever way it goes."""
        mover = ways[0].mover
        moved = self._moved.get(mover, 0) if mover else 0
        return mix(stream(self._draws, moved) ^ least_key(ways))
