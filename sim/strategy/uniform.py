"""Uniform random: every enabled action is as likely as every other."""

from __future__ import annotations

from typing import Any

from sim.base.mixer import derive
from sim.strategy.base import choose_start, least_moving
from sim.world.choice import Choice, Start
from sim.world.world import AnyWorld


class Uniform:
    """Picks uniformly among the enabled actions, faults within the budget included; ends where none is
    enabled that changes the state."""

    name = "uniform"
    now_ms = None

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self._picks = derive(seed, self.name)

    def begin(self, world: AnyWorld) -> Start[Any]:
        self._world = world
        self._step = 0
        return choose_start(world, self.seed)

    def pick(self, at: Any) -> Choice | None:
        self._step += 1
        return least_moving(self._world, at, self._world.enabled(at), self._picks, self._step - 1)

    def took(self, choice: Choice, at: Any) -> None:
        """Nothing to remember: a pick depends on seed, step and the enabled actions only."""
