"""Two phases, as TigerBeetle's simulator judges liveness: faults until the budget is spent, then a healthy
core, which must finish. While faults strike, nothing can be asked of progress; once they have stopped,
everything can."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sim.strategy.base import Strategy
from sim.strategy.canonical import Canonical
from sim.strategy.uniform import Uniform
from sim.world.choice import Choice, Start
from sim.world.world import AnyWorld

STORM_STEPS = 200


class TwoPhase:
    """First what `storm` picks (uniformly, unless another untimed strategy is given), faults included,
    until the fault budget is spent, or `storm_steps` steps; then the canonical order to quiescence: cuts are
    healed, what is down restarts, no fault strikes, the environment does nothing more.

    Whether the core finished is what the system's own properties say at the end: hot states, `eventually`.
    """

    name = "two_phase"
    now_ms = None

    def __init__(
        self, seed: int = 0, *, storm: Callable[[int], Strategy] = Uniform, storm_steps: int = STORM_STEPS
    ) -> None:
        self.seed = seed
        self.storm_steps = storm_steps
        self._storm = storm(seed)

    def begin(self, world: AnyWorld) -> Start[Any]:
        self._world = world
        self._stormy = True
        self._step = 0
        self._calm = Canonical()
        start = self._storm.begin(world)
        self._calm.begin(world, start)
        return start

    def pick(self, at: Any) -> Choice | None:
        self._before = at
        self._stormy = self._stormy and self._step < self.storm_steps and self._world.may_strike(at)
        self._step += 1
        if self._stormy:
            action = self._storm.pick(at)
            if action is not None:
                return action
            self._stormy = False
        return self._calm.pick(at)

    def took(self, choice: Choice, at: Any) -> None:
        if self._stormy:
            self._storm.took(choice, at)
            self._calm.follow(self._before, choice, at)
        else:
            self._calm.took(choice, at)
