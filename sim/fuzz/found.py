"""A violation that a fuzz found, told in plain data: what is printed, kept, and sent between processes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from sim.fuzz.fuzzer import FuzzFinding
from sim.graph.judge import Finding
from sim.minimise.minimise import Minimised


@dataclass(frozen=True)
class Told:
    """A counterexample without its graph."""

    violated: str
    """The property that is violated."""
    message: str
    schedule: tuple[str, ...]
    """The addresses of the actions, as a scenario file keeps them."""
    words: tuple[str, ...]
    actions: int
    deviations: int
    complete: bool
    """Whether every edit was tried when it was minimised."""

    @property
    def cost(self) -> tuple[int, int, tuple[str, ...]]:
        """What is less is told instead: deviations, then actions; then one of both, whoever found it first."""
        return self.deviations, self.actions, self.schedule


@dataclass(frozen=True)
class Found:
    """A violation that a fuzz found: the counterexample, and which schedules came to it."""

    told: Told
    shape: tuple[str, ...]
    """What happens in the counterexample, in no order: findings of one property and shape are one."""
    strategy: str
    seed: int
    """The seed of the first schedule that came to it, the number of that schedule, and its length."""
    number: int
    steps: int
    times: int
    """How many schedules came to it."""

    @property
    def key(self) -> tuple[str, tuple[str, ...]]:
        """What makes two findings one."""
        return self.told.violated, self.shape


def tell(minimised: Minimised) -> Told:
    """A counterexample in plain data."""
    finding: Finding = minimised.finding
    return Told(
        violated=finding.property,
        message=finding.message,
        schedule=tuple(minimised.schedule),
        words=tuple(minimised.words),
        actions=len(minimised.actions),
        deviations=len(minimised.deviations),
        complete=minimised.complete,
    )


def found_by(finding: FuzzFinding) -> Found:
    """A finding of a fuzz in plain data."""
    return Found(
        told=tell(finding.minimised),
        shape=finding.minimised.shape,
        strategy=finding.strategy,
        seed=finding.seed,
        number=finding.number,
        steps=finding.steps,
        times=finding.times,
    )


def grouped(findings: Iterable[Found]) -> list[Found]:
    """Findings with equal ones made one, in the order of their schedules: the same in whatever order they came."""
    groups: dict[tuple[str, tuple[str, ...]], Found] = {}
    for found in sorted(findings, key=lambda one: one.number):
        first = groups.setdefault(found.key, found)
        if first is not found:
            least = min(first.told, found.told, key=lambda told: told.cost)
            groups[found.key] = replace(first, told=least, times=first.times + found.times)
    return list(groups.values())


def origin(found: Found, seed: int) -> str:
    """How a counterexample was found, as its file says it."""
    reduced = f"minimised from {found.steps} to {found.told.actions} steps"
    how = f"{found.strategy} with seed {found.seed} (schedule {found.number} of seed {seed})"
    rest = "" if found.told.complete else " Not every edit was tried: there may be a shorter one."
    return f"Found by {how}, {reduced}.{rest}"
