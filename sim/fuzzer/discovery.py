"""What a fuzz found, in plain data: a counterexample, and which schedules came to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from sim.minimiser.counterexample import Counterexample


@dataclass(frozen=True)
class Discovery:
    """A violation that a fuzz found: its counterexample, and which schedules came to it."""

    counterexample: Counterexample
    strategy: str
    """The strategy that found it; a portfolio names the one whose turn it was."""
    seed: int
    """The seed of the first schedule that came to it."""
    number: int
    """Which schedule that was, from 0."""
    steps: int
    """Its length before it was minimised."""
    times: int = 1
    """How many schedules came to it."""

    @property
    def key(self) -> tuple[str, tuple[str, ...]]:
        """What makes two discoveries one."""
        return self.property, self.counterexample.shape

    @property
    def schedule(self) -> tuple[str, ...]:
        """The schedule of the counterexample, as addresses."""
        return self.counterexample.schedule

    @property
    def message(self) -> str:
        """What is wrong at the end of the counterexample."""
        return self.counterexample.message

    @property
    def property(self) -> str:
        """The name of the property that is violated."""
        return self.counterexample.property

    def origin(self, seed: int) -> str:
        """How a fuzz with `seed` found it, as the file of its counterexample says it."""
        least = self.counterexample
        how = f"{self.strategy} with seed {self.seed} (schedule {self.number} of seed {seed})"
        rest = "" if least.complete else " Not every edit was tried: there may be a shorter one."
        return f"Found by {how}, minimised from {self.steps} to {least.size}.{rest}"

    def again(self, least: Counterexample | None = None, times: int = 1) -> Discovery:
        """The same after `times` more schedules came to it, with the least counterexample of all of them."""
        return replace(self, counterexample=least or self.counterexample, times=self.times + times)


def grouped(found: Iterable[Discovery]) -> list[Discovery]:
    """Discoveries with equal ones made one, in the order of their schedules: the same in whatever order they came."""
    groups: dict[tuple[str, tuple[str, ...]], Discovery] = {}
    for one in sorted(found, key=lambda one: one.number):
        first = groups.setdefault(one.key, one)
        if first is not one:
            groups[one.key] = first.again(min(first.counterexample, one.counterexample, key=_rank), one.times)
    return list(groups.values())


def _rank(counterexample: Counterexample) -> tuple[tuple[int, int], tuple[str, ...]]:
    """What is less is kept instead; of two that cost the same one of both, whoever found it first."""
    return counterexample.cost, counterexample.schedule
