"""The simulation of one schedule: a strategy picks, the world applies and judges every place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from sim.base.errors import ModelError
from sim.base.values import describe
from sim.run.lasso import Rounds, is_round, last_round, wrong_with_round
from sim.run.trace import Ending, Run, Trace
from sim.strategy.base import Strategy
from sim.strategy.virtual_time import VirtualTime
from sim.world.choice import Choice, Start
from sim.world.finding import Finding, unmet_at_rest
from sim.world.world import AnyWorld, Walkable, refuse_timed, world_of

MAX_STEPS = 10_000
LOOK_EVERY = 16
"""After so many steps a run looks whether its time is over."""


def simulate(
    system: Walkable,
    strategy: Strategy,
    *,
    max_steps: int = MAX_STEPS,
    seen: dict[Any, None] | None = None,
    round_ends: bool = False,
    over: Callable[[], bool] | None = None,
) -> Run:
    """Run one schedule to its end: nothing enabled, the schedule used up, a property violated, or
    `max_steps` steps; with `round_ends` also where it could go round forever.

    `system` may be a world too, whose tables are used again; this changes nothing of the run. Every place
    that the run comes by is noted in `seen`. `over`, asked now and then, may stop it.
    Raises `DivergenceError` if a replayed schedule does not fit, `ModelError` if the model breaks a rule
    of the framework.
    """
    if isinstance(strategy, type) or not hasattr(strategy, "begin"):
        name = strategy.__name__ if isinstance(strategy, type) else "Uniform"
        raise ModelError(f"the strategy is {describe(strategy)}: pass an instance, {name}(...)")
    world = world_of(system)
    if not isinstance(strategy, VirtualTime):
        refuse_timed(world, f"the strategy {strategy.name}")
    with world.walking():
        walk = Walk(world, strategy.begin(world), seen)
        if isinstance(strategy, VirtualTime):
            walk.trace.slowdowns = strategy.slowdowns
        return walk.follow(strategy, max_steps, round_ends=round_ends, over=over)


class Walk:
    """A run under way, judged after every step. `simulate` follows a strategy to its end; who picks from
    outside takes the steps one by one, and may let a strategy finish."""

    def __init__(self, world: AnyWorld, start: Start[Any], seen: dict[Any, None] | None = None) -> None:
        self.world = world
        self.trace = Trace(world, start)
        self.at = start.place
        self.open = {goal.name: goal.kind for goal in world.goals if goal.kind in ("sometimes", "eventually")}
        """The goals that are not met where the run is now, and their kinds."""
        self._recurring = {goal.name: goal.kind for goal in world.goals if goal.kind in RECURRING}
        self.round = 0
        """How many of the last steps are a round that could be gone forever; 0: none is known."""
        self._rounds = Rounds(self.at) if world.places_are_values else None
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
        if self._rounds is not None and self._rounds.took(choice, after) and self.finding is None:
            self._came_back(self._rounds)
        return True

    def follow(
        self,
        strategy: Strategy,
        max_steps: int = MAX_STEPS,
        *,
        round_ends: bool = False,
        over: Callable[[], bool] | None = None,
    ) -> Run:
        """Take what `strategy`, which has begun, picks; at most `max_steps` steps in the whole run, and until `over`. With
        `round_ends` it ends where it could go round forever."""
        pick, took, take, steps = strategy.pick, strategy.took, self.take, self.trace.steps
        ending = Ending.STEPS
        while self.finding is None and len(steps) < max_steps:
            if over is not None and len(steps) % LOOK_EVERY == LOOK_EVERY - 1 and over():
                ending = Ending.INTERRUPTED
                break
            choice = pick(self.at)
            if choice is None:
                ending = Ending.QUIESCENT
                self.finding = self.rest()
                if self.finding is None and not self.world.quiescent(self.at):
                    ending = Ending.SCHEDULE
                    self.finding = self.last_round()
                break
            if take(choice, strategy.now_ms):
                took(choice, self.at)
            if self.round and round_ends:
                ending = Ending.ROUND
                break
        return self.run(ending)

    def run(self, ending: Ending = Ending.INTERRUPTED) -> Run:
        """The run up to here; `ending` says why it ended if nothing is wrong."""
        if self.finding is not None:
            ending = Ending.VIOLATED
        self.trace.end = self.at
        reached = {goal.name: goal.name not in self.open for goal in self.world.goals if goal.kind != "rests"}
        return Run(self.trace, self.at, ending, self.finding, reached, self.round)

    def rest(self) -> Finding | None:
        """What is wrong in this place if it is quiescent."""
        if not self.world.quiescent(self.at):
            return None
        return self.world.rest(self.at) or next(
            (unmet_at_rest(kind, name) for name, kind in self.open.items() if kind != "sometimes"), None
        )

    def _arrive(self) -> None:
        """Judges the place where the run is now."""
        if self._seen is not None:
            if self._rounds is not None:
                self._seen[self.at] = None
            else:
                self._seen.update(dict.fromkeys(self.world.covered(self.at)))
        self.finding = self.world.judge(self.at)
        if self.finding is not None:
            return  # nothing more is asked of a place where a machine has failed
        for name in [name for name in self.open if self.world.holds(name, self.at)]:
            del self.open[name]
        for name, kind in self._recurring.items():
            owes = self.world.begins(name, self.at) if kind == "leads_to" else name not in self.open
            if owes and not self.world.holds(name, self.at):
                self.open[name] = kind

    def _came_back(self, rounds: Rounds) -> None:
        """Judges the steps since the run was last here."""
        length = rounds.length
        choices = [choice for _, choice in self.trace.steps[-length:]]
        places = [self.at]
        for choice in choices[:-1]:
            places.append(self.world.apply(places[-1], choice))
        if is_round(self.world, places, choices):
            self.round = length
            self.finding = wrong_with_round(self.world, places, self.open)
        rounds.go_on(self.at)

    def last_round(self) -> Finding | None:
        """What is wrong if the run ends here, where it could loop forever."""
        if not self.world.places_are_values:
            return None
        places = self.trace.places()
        self.round = last_round(self.world, places, [choice for _, choice in self.trace.steps])
        return wrong_with_round(self.world, places[-1 - self.round : -1], self.open) if self.round else None


class Ended(NamedTuple):
    """What is wrong with a run of given choices, and after how many of them."""

    finding: Finding | None
    steps: int


def ended(world: AnyWorld, start: Start[Any], choices: Sequence[Choice], *, round_of: str = "") -> Ended:
    """How the run of these choices ends, as a replay of them says it. With `round_of` it also ends where it first can go
    round in violation of that property; while a run goes on this is noticed later (`sim.run.lasso.Rounds`)."""
    walk, met = Walk(world, start), {start.place}
    for length, choice in enumerate(choices, 1):
        if walk.finding is not None or not walk.take(choice):
            return Ended(walk.finding, length - 1)
        if round_of and walk.finding is None and walk.at in met:
            found = walk.last_round()
            if found is not None and found.property == round_of:
                return Ended(found, length)
        met.add(walk.at)
    if walk.finding is None:
        walk.finding = walk.rest() or walk.last_round()
    return Ended(walk.finding, len(choices))


RECURRING = ("leads_to", "always_eventually", "eventually_always")
"""Goals that may be unmet again after they were met."""
