"""The check of a world whose places say what is usual: every schedule, in the order of its deviations from the usual one.

A deviation is a choice that is not the usual one. First comes the schedule without any, then all with one, and so on up to
a bound: so the first violation has as few deviations as any. To bound schedules instead of their length goes back to
Musuvathi and Qadeer, "Iterative context bounding for systematic testing of multithreaded programs" (PLDI 2007), and Emmi,
Qadeer, Rakamaric, "Delay-bounded scheduling" (POPL 2011): bugs that few deviations show are most of them.

The check is stateless (Godefroid, "Model checking for programming languages using VeriSoft", POPL 1997): a schedule is
kept as its deviations, and is run from the beginning. Orders that come to one are not run twice: a place with a
fingerprint that was met before is left, for whatever can follow was, or will be, explored from where it was met first,
with no more deviations.
"""

from __future__ import annotations

import time
from collections.abc import Hashable, Iterator, Mapping
from typing import Any, NamedTuple

from sim.base.errors import ConfigError, NondeterminismError
from sim.base.overdue import NO_MEMORY
from sim.checker.bounded_result import BY_DEVIATIONS, BoundedProgress, BoundedResult
from sim.checker.memory import held_bytes, reached
from sim.checker.plain import TIME_IS_UP, Limits
from sim.run.simulation import MAX_STEPS, Walk
from sim.world.choice import Choice, Start
from sim.world.finding import Finding
from sim.world.world import AnyWorld, refuse_timed, usual_at

DEVIATIONS = 2
"""The bound, if nothing is said."""
_LOOK_EVERY = 50
"""After so many schedules the memory held is looked at."""

OF_PROGRAMS = "deviations bounds the check of a program; a model is checked whole: leave it out"
"""What is wrong with a bound on the deviations of a model."""
_DOES_NOT_APPLY = {
    "max_states": "a program has schedules and no states that could be counted: bound the check by deviations, or by time",
    "engine": "a program runs on Python alone: leave the engine out",
    "exact": "what a program holds cannot be compared: its places are known by fingerprints",
    "reduce": "of a program equal orders are never run twice anyway",
    "cycles": "of a program no two places are one, so no cycle is looked for anyway",
}
"""What an option would need, that a program has not."""


def refuse_for_schedules(given: Mapping[str, object]) -> None:
    """Raises `ConfigError` with a line for each option that is given and makes no sense here."""
    why = [(name, _DOES_NOT_APPLY[name.removeprefix("--").partition(" ")[0].replace("-", "_")]) for name in given]
    mistakes = [f"{name}: {said}" for name, said in why if given[name]]
    if mistakes:
        raise ConfigError(*mistakes)


def check_schedules(
    world: AnyWorld, deviations: int | None, limits: Limits, progress: BoundedProgress | None = None
) -> BoundedResult:
    """Every schedule of `world` with at most so many `deviations` (default: 2). Raises `ConfigError` for a bound below 0."""
    bound = DEVIATIONS if deviations is None else deviations
    if type(bound) is not int or bound < 0:
        raise ConfigError(f"deviations is {bound!r}; must be a whole number from 0")
    refuse_timed(world, "a check")
    return BoundedWalk(world, bound, limits, progress).run()


class Departure(NamedTuple):
    """A schedule as what departs from the usual in it: in the schedule `before`, at this step, another choice."""

    before: Departure | None
    step: int
    """-1: another way to begin."""
    code: bytes
    mark: int
    """The fingerprint of the place where it departs, to notice a program that does something else when it is run again."""

    def way(self) -> Iterator[Departure]:
        """All that departs, from the first on."""
        if self.before is not None:
            yield from self.before.way()
        yield self


class BoundedWalk:
    """Runs all schedules of `world` with at most so many `deviations`. `merge`: leave a schedule where it comes to a place
    that is known."""

    def __init__(
        self,
        world: AnyWorld,
        deviations: int,
        limits: Limits,
        progress: BoundedProgress | None = None,
        *,
        merge: bool = True,
        max_steps: int = MAX_STEPS,
    ) -> None:
        self.world = world
        self.result = BoundedResult(world, deviations)
        self.result.unmet = [goal.name for goal in world.goals if goal.kind == "sometimes"]
        self._limits, self._progress, self._merge, self._max_steps = limits, progress, merge, max_steps
        self._known: dict[Hashable, None] = {}
        self._beyond = False
        """Whether a schedule would have more deviations than the bound."""
        self._next: list[Departure] = []
        self._ran = 0

    def run(self) -> BoundedResult:
        """To the first violation, or the end."""
        result, started = self.result, time.perf_counter()
        try:
            with self.world.walking():
                self._levels()
        except KeyboardInterrupt:
            self._stop("interrupted", "interrupted")
        except MemoryError:
            self._next.clear()
            self._stop("memory", NO_MEMORY)
        result.seconds = time.perf_counter() - started
        result.handler_calls = self.world.handler_calls
        result.places = len(self._known)
        if result.finding is None and not result.stopped:
            self._end()
        return result

    def _levels(self) -> None:
        """All schedules, in the order of their deviations."""
        first, *others = self.world.starts()
        level: list[Departure] = [Departure(None, -1, _code(first), 0)]
        self._next = [Departure(None, -1, _code(start), 0) for start in others]
        while level:
            for schedule in level:
                self._schedule(schedule)
                self._ran += 1
                if self._progress is not None:
                    self._progress(self.result)
                if self.result.finding is not None or self.result.stopped or self._is_over():
                    return
            self.result.covered = self.result.now
            level, self._next = self._next, []
            if level and self.result.now == self.result.deviations:
                self._beyond = True
                return
            self.result.now += 1

    def _end(self) -> None:
        """There is nothing left to run within the bound."""
        result = self.result
        result.complete = not self._beyond and not result.cut_short
        if result.cut_short:
            many = "1 schedule goes on" if result.cut_short == 1 else f"{result.cut_short:,} schedules go on"
            self._stop("steps", f"{many} after {self._max_steps:,} steps")
        elif self._beyond:
            result.bound_by = BY_DEVIATIONS
        elif result.unmet:
            result.finding = Finding(result.unmet[0], "holds in no schedule, so the program may do nothing")

    def _is_over(self) -> bool:
        """Whether a limit ends the check."""
        if self._limits.time_is_up():
            self._stop("time", TIME_IS_UP)
        elif self._limits.memory is not None and self._ran % _LOOK_EVERY == 0 and held_bytes() > self._limits.memory:
            self._stop("memory", reached(self._limits.memory))
        return bool(self.result.stopped)

    def _stop(self, bound_by: str, why: str) -> None:
        self.result.bound_by, self.result.stopped = bound_by, why

    # --- one schedule -------------------------------------------------------------------------------

    def _schedule(self, schedule: Departure) -> None:
        """Runs one schedule: what departs, then what is usual, and notes what could depart on the way."""
        root, *departures = schedule.way()
        start = next(start for start in self.world.starts() if _code(start) == root.code)
        walk = Walk(self.world, start)
        for one in departures:
            while len(walk.trace.steps) < one.step:
                choice = usual_at(self.world, walk.at)
                if choice is None or not walk.take(choice):
                    raise _other(len(walk.trace.steps))
            self._depart(walk, one)
        self._follow(walk, schedule)
        result = self.result
        result.steps += len(walk.trace.steps)
        result.unmet = [name for name in result.unmet if name in walk.open]
        if walk.finding is not None:
            result.finding, result.begin = walk.finding, walk.trace.start
            result.path = [choice for _, choice in walk.trace.steps]

    def _depart(self, walk: Walk, one: Departure) -> None:
        if walk.finding is not None or self.world.fingerprint(walk.at) != one.mark:
            raise _other(one.step)
        choice = next((choice for choice in self.world.enabled(walk.at) if choice.code == one.code), None)
        if choice is None or not walk.take(choice):
            raise _other(one.step)

    def _follow(self, walk: Walk, schedule: Departure) -> None:
        """What is usual from here on, to the end, a violation, or a place that is known."""
        result = self.result
        while walk.finding is None:
            if self._is_known(walk):
                result.same += 1
                return
            usual = usual_at(self.world, walk.at)
            if usual is None:
                walk.finding = walk.rest()
                result.rests += 1
            if walk.finding is None:
                self._note(walk, schedule, usual)
            if usual is None:
                break
            if len(walk.trace.steps) >= self._max_steps:
                result.cut_short += 1  # the others may end, or be wrong on the way
                return
            if self._limits.time_is_up():
                self._stop("time", TIME_IS_UP)
                return
            walk.take(usual)
        result.schedules += 1

    def _is_known(self, walk: Walk) -> bool:
        """Whether the same was met before; it is noted. What a goal makes of a run depends on what has held on the way."""
        if not self._merge:
            return False
        mark = self.world.fingerprint(walk.at)
        key: Hashable = (mark, *walk.open) if walk.open else mark
        if key in self._known:
            return True
        self._known[key] = None
        return False

    def _note(self, walk: Walk, schedule: Departure, usual: Choice | None) -> None:
        """What can be chosen here instead, as schedules with one deviation more; beyond the bound one is enough."""
        if self._next and self.result.now == self.result.deviations:
            return
        others = [choice for choice in self.world.enabled(walk.at) if choice != usual]
        if others:
            mark, step = self.world.fingerprint(walk.at), len(walk.trace.steps)
            codes = sorted(choice.code for choice in others)  # not by their listing, which says nothing
            self._next += [Departure(schedule, step, code, mark) for code in codes]


def _code(start: Start[Any]) -> bytes:
    return str(start.address).encode()


def _other(step: int) -> NondeterminismError:
    return NondeterminismError(
        f"run again, the program did something else by step {step}: it may keep something between its runs, as in a global "
        "of a module; make it anew in main"
    )
