"""The simulation of one schedule: a strategy picks, the world applies and judges every place."""

from __future__ import annotations

from typing import Any

from sim.base.errors import ModelError
from sim.base.values import describe
from sim.run.lasso import came_round
from sim.run.trace import Ending, Run, Trace
from sim.strategy.base import Strategy
from sim.strategy.virtual_time import VirtualTime
from sim.world.choice import Choice, Start
from sim.world.finding import AT_REST, Finding, endless
from sim.world.world import AnyWorld, Walkable, refuse_timed, world_of

MAX_STEPS = 10_000


def simulate(
    system: Walkable, strategy: Strategy, *, max_steps: int = MAX_STEPS, seen: dict[Any, None] | None = None
) -> Run:
    """Run one schedule to its end: nothing enabled, the schedule used up, a property violated, or
    `max_steps` steps.

    `system` may be a world too, whose tables are used again; this changes nothing of the run. Every place
    that the run comes by is noted in `seen`.
    Raises `DivergenceError` if a replayed schedule does not fit, `ModelError` if the model breaks a rule
    of the framework.
    """
    if isinstance(strategy, type) or not hasattr(strategy, "begin"):
        name = strategy.__name__ if isinstance(strategy, type) else "Uniform"
        raise ModelError(f"the strategy is {describe(strategy)}: pass an instance, {name}(...)")
    world = world_of(system)
    if not isinstance(strategy, VirtualTime):
        refuse_timed(world, f"the strategy {strategy.name}")
    walk = Walk(world, strategy.begin(world), seen)
    if isinstance(strategy, VirtualTime):
        walk.trace.slowdowns = strategy.slowdowns
    return walk.follow(strategy, max_steps)


class Walk:
    """A run under way, judged after every step. `simulate` follows a strategy to its end; who picks from
    outside takes the steps one by one, and may let a strategy finish."""

    def __init__(self, world: AnyWorld, start: Start[Any], seen: dict[Any, None] | None = None) -> None:
        self.world = world
        self.trace = Trace(world, start)
        self.at = start.place
        self.open = {goal.name: goal.kind for goal in world.goals}
        """The goals that have not held yet, and their kinds."""
        self._seen = seen
        self.finding: Finding | None = None
        self._arrive()

    def take(self, choice: Choice, now_ms: int | None = None) -> bool:
        """Take one step; False if the run is over instead, as something is wrong with resting here."""
        before = self.at
        after = self.world.apply(before, choice)
        if not choice.progress or after == before:
            self.finding = self.rest()  # only here can `before` have been quiescent
            if self.finding is not None:
                return False
        self.trace.steps.append((now_ms, choice))
        self.at = after
        self._arrive()
        return True

    def follow(self, strategy: Strategy, max_steps: int = MAX_STEPS) -> Run:
        """Take what `strategy`, which has begun, picks; at most `max_steps` steps in the whole run."""
        pick, took, take, steps = strategy.pick, strategy.took, self.take, self.trace.steps
        ending = Ending.STEPS
        while self.finding is None and len(steps) < max_steps:
            choice = pick(self.at)
            if choice is None:
                ending = Ending.QUIESCENT
                self.finding = self.rest()
                if self.finding is None and not self.world.quiescent(self.at):
                    ending = Ending.SCHEDULE
                    self.finding = self._round()
                break
            if take(choice, strategy.now_ms):
                took(choice, self.at)
        return self.run(ending)

    def run(self, ending: Ending = Ending.INTERRUPTED) -> Run:
        """The run up to here; `ending` says why it ended if nothing is wrong."""
        if self.finding is not None:
            ending = Ending.VIOLATED
        self.trace.end = self.at
        reached = {goal.name: goal.name not in self.open for goal in self.world.goals}
        return Run(self.trace, self.at, ending, self.finding, reached)

    def rest(self) -> Finding | None:
        """What is wrong in this place if it is quiescent."""
        if not self.world.quiescent(self.at):
            return None
        finding = self.world.rest(self.at)
        avoided = self._avoided()
        return finding or (Finding(avoided, AT_REST) if avoided is not None else None)

    def _arrive(self) -> None:
        """Judges the place where the run is now."""
        if self._seen is not None:
            self._seen[self.at] = None
        self.finding = self.world.judge(self.at)
        for name in [name for name in self.open if self.world.holds(name, self.at)]:
            del self.open[name]

    def _avoided(self) -> str | None:
        """The first `eventually` that has not held yet."""
        return next((name for name, kind in self.open.items() if kind == "eventually"), None)

    def _round(self) -> Finding | None:
        """What is wrong if the schedule ended where it could loop forever."""
        avoided = self._avoided()
        if avoided is None or not self.world.places_are_values:
            return None
        length = came_round(self.world, self.trace.places(), [choice for _, choice in self.trace.steps])
        return Finding(avoided, endless(length)) if length else None
