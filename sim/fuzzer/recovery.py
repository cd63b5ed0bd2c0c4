"""Whether a system recovers: many schedules in two phases, each judged at its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from sim.base.errors import ConfigError
from sim.base.mixer import derive
from sim.run.simulation import MAX_STEPS, simulate
from sim.run.trace import Run
from sim.strategy.base import Strategy
from sim.strategy.two_phase import STORM_STEPS, TwoPhase
from sim.strategy.uniform import Uniform
from sim.world.world import Walkable, world_of


@dataclass
class Recovery:
    """The result: how many schedules were run, what struck in them by kind, and the first run that did not reach its
    goal (None: all did)."""

    schedules: int = 0
    struck: Counter[str] = field(default_factory=Counter)
    failed: Run | None = None
    seed: int | None = None
    """The seed of the failed run."""

    @property
    def verdict(self) -> str:
        """`ok`, `violated`, or `incomplete` where a core did not come to rest within the steps."""
        return "ok" if self.failed is None else self.failed.verdict


def recovers(
    system: Walkable,
    schedules: int = 100,
    *,
    seed: int = 0,
    storm: Callable[[int], Strategy] = Uniform,
    storm_steps: int = STORM_STEPS,
    max_steps: int = MAX_STEPS,
) -> Recovery:
    """Run `schedules` schedules of `system` with `TwoPhase` and stop at the first that fails: safety is
    judged throughout, the goal (hot states, `eventually`) when the healthy core has come to rest.

    Raises `ConfigError` without a fault budget: there would be nothing to recover from.
    """
    world = world_of(system)
    if not world.faults:
        raise ConfigError("a recovery requires a fault budget to recover from; set faults such as cut:1,crash:1")
    result = Recovery()
    for number in range(schedules):
        one = derive(seed, f"recovery {number}")
        run = simulate(world, TwoPhase(one, storm=storm, storm_steps=storm_steps), max_steps=max_steps, round_ends=True)
        result.schedules += 1
        result.struck.update(run.trace.struck())
        if run.verdict != "ok":
            result.failed, result.seed = run, one
            break
    return result
