"""A walk that somebody takes step by step: what may happen next, and how to come back to where they were.

A path is a way to begin and the choices that were taken, each as its place among those that were there, in the order of
their canonical encodings: the same in every process.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import Enum
from typing import Any, NamedTuple

from sim.base.errors import DivergenceError
from sim.run.simulation import Walk
from sim.run.trace import Ending, Run
from sim.strategy.canonical import Canonical
from sim.world.choice import Choice
from sim.world.finding import Finding
from sim.world.world import AnyWorld

FORCED_MAX = 1_000
"""Steps that are taken at once where nothing has to be chosen."""


class Sort(Enum):
    """What a choice is; the values are the words for it."""

    USUAL = "usual"
    """What the canonical schedule would take."""
    ITSELF = "by itself"
    OUTSIDE = "by the environment"
    FAULT = "fault"


class WayOn(NamedTuple):
    """One thing that may happen next."""

    text: str
    """As a schedule has it."""
    sort: Sort


def path_of(run: Run) -> list[int]:
    """The path of a run, as far as it went."""
    world, start = run.trace.world, run.trace.start
    with world.walking():
        found, at = [next(n for n, one in enumerate(world.starts()) if one.choices == start.choices)], start.place
        for _, choice in run.trace.steps:
            found.append(_in_order(world, at).index(choice))
            at = world.apply(at, choice)
    return found


class GuidedWalk:
    """Stands at the end of a path. Raises `DivergenceError` for a path that does not fit."""

    def __init__(self, world: AnyWorld, path: Sequence[int]) -> None:
        starts = world.starts()
        first = path[0] if path else 0
        if not 0 <= first < len(starts):
            raise DivergenceError(f"the path begins in way {first + 1}, and there are {len(starts)}", 0)
        self._world = world
        self._usual = Canonical()
        self._walk = Walk(world, self._usual.begin(world, starts[first]))
        self.path = [first]
        for index in path[1:]:
            self.take(index)

    @property
    def run(self) -> Run:
        """The run up to here."""
        return self._walk.run(Ending.QUIESCENT if self.rests else Ending.INTERRUPTED)

    @property
    def rests(self) -> bool:
        """Whether nothing more happens by itself."""
        return self._walk.finding is None and self._world.quiescent(self._walk.at)

    @property
    def wrong_with_rest(self) -> Finding | None:
        """What is wrong if nothing more happens."""
        return self._walk.rest() if self._walk.finding is None else None

    def ways(self) -> list[WayOn]:
        """What may happen next; nothing after a violation."""
        usual = self._usual_choice()
        return [WayOn(str(replace(choice.address, after="")), _sort(choice, usual)) for choice in self._choices()]

    def take(self, index: int) -> None:
        """Take one of these."""
        choices = self._choices()
        if not 0 <= index < len(choices):
            step = len(self.path)
            raise DivergenceError(f"step {step}: the path takes action {index + 1}, and there are {len(choices)}", step)
        before, choice = self._walk.at, choices[index]
        if not self._walk.take(choice):
            return
        self._usual.follow(before, choice, self._walk.at)
        self.path.append(index)

    def go_on(self, *, to_the_end: bool) -> None:
        """Take what is usual once, and again for as long as there is nothing to choose; `to_the_end`: until it rests."""
        for step in range(FORCED_MAX):
            usual = self._usual_choice()
            if usual is None or (step and not to_the_end and len(self._forced()) != 1):
                return
            self.take(self._choices().index(usual))

    def _choices(self) -> list[Choice]:
        if self._walk.finding is not None:
            return []
        return _in_order(self._world, self._walk.at)

    def _forced(self) -> list[Choice]:
        """What may happen by itself and leads elsewhere."""
        here = self._walk.at
        return [c for c in self._choices() if c.progress and not c.strikes and self._world.changes(here, c)]

    def _usual_choice(self) -> Choice | None:
        """What comes next in the canonical schedule, which goes on from wherever it was left."""
        due = [] if self._walk.finding is not None else self._usual.due(self._walk.at)
        return due[0][0] if due else None


def _in_order(world: AnyWorld, at: Any) -> list[Choice]:
    return sorted(world.enabled(at), key=lambda choice: choice.code)


def _sort(choice: Choice, usual: Choice | None) -> Sort:
    if choice == usual:
        return Sort.USUAL
    if choice.strikes:
        return Sort.FAULT
    return Sort.ITSELF if choice.progress else Sort.OUTSIDE
