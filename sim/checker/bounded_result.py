"""What a check in order of deviations found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sim.minimiser.counterexample import Counterexample
from sim.minimiser.minimise import minimise
from sim.world.choice import Choice, Start
from sim.world.finding import Finding
from sim.world.world import AnyWorld

BY_DEVIATIONS = "deviations"
"""What bounded a check that came to the end of its bound."""


@dataclass
class BoundedResult:
    """What a check found that runs schedules in the order of their deviations from the usual one."""

    world: AnyWorld
    deviations: int
    """The bound: the most deviations of a schedule."""
    schedules: int = 0
    """Schedules that were run to their end. No two of them are one order."""
    same: int = 0
    """Further schedules, left where they came to a place that was known: from there on they are one of the others."""
    cut_short: int = 0
    """Schedules that were left where the bound on steps was hit."""
    steps: int = 0
    covered: int = -1
    """All schedules of so many deviations were run; -1: not even the usual one was."""
    now: int = 0
    """So many deviations have the schedules that were run last."""
    handler_calls: int = 0
    seconds: float = 0.0
    complete: bool = False
    """Whether there is no schedule beyond those that were run."""
    bound_by: str = ""
    """What kept the check from being complete: `deviations`, or what ended it early."""
    stopped: str = ""
    """Why it ended early, as a user reads it."""
    places: int = 0
    """Places that were met, as far as their fingerprints tell them apart."""
    rests: int = 0
    """Schedules after which it was judged that nothing more happens."""
    unmet: list[str] = field(default_factory=list)
    """Each `sometimes` that held in no schedule so far."""
    finding: Finding | None = None
    path: list[Choice] = field(default_factory=list)
    """A schedule to the finding, with as few deviations as any."""
    begin: Start[Any] | None = None
    """How the run to the finding began."""

    engine = "plain"

    @cached_property
    def counterexample(self) -> Counterexample | None:
        """The finding, and a schedule that leads there: with as few deviations as any, then made less as far as it goes. A
        `sometimes` that never held has none."""
        if self.finding is None or self.begin is None:
            return None
        return minimise(self.world, self.begin, self.path, self.finding)

    @property
    def among(self) -> str:
        """Among how much it looked."""
        return f"{self.schedules:,} schedules"

    @property
    def verdict(self) -> str:
        """`ok` also where the bound on deviations was exhausted; `incomplete` where something else ended the check."""
        if self.finding is not None:
            return "violated"
        return "ok" if self.complete or self.bound_by == BY_DEVIATIONS else "incomplete"

    @property
    def proved(self) -> list[str]:
        """What holds in every schedule, by name; nothing where there are others beyond the bound."""
        if not self.complete or self.finding is not None:
            return []
        return [*self.world.judged, *(f"{goal.kind} {goal.name}" for goal in self.world.goals)]

    @property
    def notes(self) -> list[str]:
        """What a reader who trusts the verdict should know."""
        if self.verdict != "ok" or self.complete:
            return []
        return [
            f"{name} held in no schedule within the bound; whether it ever does was not asked" for name in self.unmet
        ]

    @property
    def collision_probability(self) -> float:
        """A bound on the probability that two places had one fingerprint, so that one of them was taken for known."""
        return min(1.0, self.places**2 / 2**65)


BoundedProgress = Callable[[BoundedResult], None]
