"""The fuzz: many schedules by seed, every violation minimised.

Schedule `k` of seed `s` uses the seed `derive(s, k)` and nothing else: any of them can be run again alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sim.base import printing
from sim.base.errors import ConfigError
from sim.base.interrupted import interrupt_afterwards
from sim.base.mixer import derive, stream
from sim.base.overdue import NO_MEMORY, WATCH
from sim.checker.engine import Engine, hand_over_at, lacking, unloadable
from sim.fuzzer.bound import Bound
from sim.fuzzer.coverage import Coverage
from sim.fuzzer.discovery import Discovery
from sim.fuzzer.worst import Worst, WorstSoFar, checked_measure
from sim.metrics.settings import MetricsSettings
from sim.minimiser.counterexample import counterexample_of
from sim.minimiser.minimise import minimise
from sim.run.simulation import MAX_STEPS, simulate
from sim.run.trace import Ending, Run
from sim.strategy import PCTCP, Portfolio, Strategy, make_strategy
from sim.world.choice import Choice
from sim.world.finding import Finding
from sim.world.world import AnyWorld, Walkable, refuse_timed, world_of

if TYPE_CHECKING:
    from sim.fuzzer.compiled.driver import CompiledFuzz

GRACE_S = 1.0
"""So many seconds after its time a fuzz still makes the last violation less."""
PAYS_AT = 2_000
"""Steps from which the compiled walk takes over by itself: before, loading it costs more than it saves."""

SCHEDULES = 10_000
"""Schedules of a fuzz that is bounded neither by number nor by time."""


LAST = (1 << 62) - 1
"""The greatest number of a schedule."""


@dataclass
class FuzzResult:
    """What a fuzz covered and found."""

    strategy: str
    seed: int
    world: AnyWorld
    coverage: Coverage
    schedules: int = 0
    """Schedules run to their end."""
    steps: int = 0
    cut_short: int = 0
    """Schedules that were ended by the bound on steps."""
    unfinished: bool = False
    """Whether the time was up inside a schedule; its steps and states count, but it does not count in `schedules`."""
    seconds: float = 0.0
    """Of the schedules and of minimising."""
    engine: str = "plain"
    """The engine that ended the fuzz: `plain` or `compiled`."""
    interrupted: bool = False
    stopped: bool = False
    """Whether it ended at a violation."""
    found: list[Discovery] = field(default_factory=list)
    bound: Bound | None = None
    """Of the schedules that PCTCP picked, where a bound is proved."""
    worst: Worst | None = None
    """The schedule that came to most, where a measure was asked for."""

    @property
    def states(self) -> int:
        """Distinct states visited."""
        return self.coverage.states

    @property
    def verdict(self) -> str:
        """`violated`, `ok` (nothing was found, which proves nothing), or `incomplete` without a schedule."""
        if self.found:
            return "violated"
        return "incomplete" if self.interrupted or not self.schedules else "ok"


Progress = Callable[[FuzzResult], None]


def fuzz(
    system: Walkable,
    *,
    schedules: int | None = None,
    seconds: float | None = None,
    first: int = 0,
    seed: int = 0,
    strategy: str = "portfolio",
    keep_going: bool = False,
    max_steps: int = MAX_STEPS,
    depth: int | None = None,
    engine: Engine = "auto",
    progress: Progress | None = None,
    worst: str | None = None,
    metrics: MetricsSettings | None = None,
) -> FuzzResult:
    """Run schedules until a property is violated, or `schedules` of them are done, or `seconds` are over
    (the first of what is given; 10,000 schedules if neither is).

    - `first`: the number of the first schedule; what a schedule does depends on seed and number alone, so that
      a fuzz may be divided into ranges of numbers
    - `strategy`: a name of `sim.strategy.STRATEGIES`
    - `keep_going`: continue after a violation, and group equal ones (same property, same minimised shape)
    - `max_steps`: where a schedule ends that does not end by itself
    - `depth`: of the bugs that PCTCP looks for
    - `engine`: `plain`; `compiled` (needs the native extension); or `auto`, which switches when the fuzz runs long. The result is the
      same
    - `progress`: called after every schedule, or some thousands
    - `worst`: `cost` (USD), `latency` (milliseconds; of programs) or `tokens`: also keep the schedule that comes to most of it,
      minimised. Each schedule is measured, by the plain engine, and a violation does not end it
    - `metrics`: the prices and models of that measure

    A KeyboardInterrupt ends it with what was done and found. Raises `ConfigError` for an unknown strategy
    or a bound below 1, `ModelError` if the model breaks a rule of the framework.
    """
    fuzzer = Fuzzer(
        system,
        seed=seed,
        strategy=strategy,
        keep_going=keep_going,
        max_steps=max_steps,
        depth=depth,
        engine=engine,
        worst=worst,
        metrics=metrics,
    )
    return fuzzer.run(first=first, schedules=schedules, seconds=seconds, progress=progress)


class Fuzzer:
    """A fuzz in parts: what one part has made (a world that remembers, compiled code) serves the next.
    Arguments and errors are those of `fuzz`."""

    def __init__(
        self,
        system: Walkable,
        *,
        seed: int = 0,
        strategy: str = "portfolio",
        keep_going: bool = False,
        max_steps: int = MAX_STEPS,
        depth: int | None = None,
        engine: Engine = "auto",
        worst: str | None = None,
        metrics: MetricsSettings | None = None,
    ) -> None:
        if max_steps <= 0:
            raise ConfigError(f"max_steps is {max_steps}; must be more than 0")
        self.engine, self.lacks = engine, lacking(engine)
        make_strategy(strategy, seed, depth=depth)  # its mistakes come before anything is run
        self.world = world_of(system)
        refuse_timed(self.world, "a fuzz")
        self.seed, self.strategy, self.depth = seed, strategy, depth
        self.keep_going, self.max_steps = keep_going, max_steps
        self.worst, self.metrics = checked_measure(worst, engine), metrics
        self.compiled_at = None if worst else hand_over_at(engine, PAYS_AT)
        self.steps = 0
        """Of all parts so far."""
        self._walk: CompiledFuzz | None = None

    def run(
        self,
        *,
        first: int = 0,
        schedules: int | None = None,
        seconds: float | None = None,
        progress: Progress | None = None,
    ) -> FuzzResult:
        """One part: the schedules from `first` on."""
        for name, bound in (("schedules", schedules), ("seconds", seconds)):
            if bound is not None and bound <= 0:
                raise ConfigError(f"{name} is {bound}; must be more than 0")
        if not 0 <= first <= LAST:
            raise ConfigError(f"first is {first}; schedules are numbered from 0 to {LAST}")
        if schedules is None and seconds is None:
            schedules = SCHEDULES
        result = FuzzResult(self.strategy, self.seed, self.world, Coverage(self.world))
        end = LAST + 1 if schedules is None else min(first + schedules, LAST + 1)
        with self.world.walking():
            so_far = None if self.worst is None else WorstSoFar(self.world, self.worst, self.metrics, self.max_steps)
            _Fuzz(self, result, seconds, progress, so_far).run(first, end)
        self.steps += result.steps
        return result

    def at(self, number: int) -> Strategy:
        """The strategy of the schedule of this number."""
        return make_strategy(self.strategy, schedule_seed(self.seed, number), number=number, depth=self.depth)

    def walk(self) -> CompiledFuzz | None:
        """The compiled walk; None if this world is not a graph, or its numbers are too large for it."""
        with interrupt_afterwards():
            from sim.checker.compiled.mirror import TooLarge, Unfit
            from sim.fuzzer.compiled.driver import CompiledFuzz

        if self._walk is None:
            try:
                self._walk = CompiledFuzz(
                    self.world, strategy=self.strategy, seed=self.seed, depth=self.depth, max_steps=self.max_steps
                )
            except TooLarge as error:
                if isinstance(error, Unfit):
                    printing.err(f"sim: {error}")
                return None
        return self._walk


def schedule_seed(seed: int, number: int) -> int:
    """The seed of schedule `number` of a fuzz with `seed`."""
    return stream(derive(seed, "schedules"), number)


class _Fuzz:
    """One part of a fuzz under way."""

    def __init__(
        self,
        fuzzer: Fuzzer,
        result: FuzzResult,
        seconds: float | None,
        progress: Progress | None,
        worst: WorstSoFar | None,
    ) -> None:
        self.fuzzer = fuzzer
        self.worst = worst
        self.result = result
        self.world = result.world
        self._seconds = seconds
        self._progress = progress
        self._started = time.perf_counter()
        self._known: dict[tuple[str, tuple[str, ...]], int] = {}
        """Where in `found` a discovery is, by its key."""
        self._raw: dict[tuple[Choice, ...], int] = {}
        """The same by the schedules that came to it."""

    def run(self, first: int, end: int) -> None:
        """The schedules first..end; compiled, once that pays."""
        number: int | None = first
        try:
            while number is not None and not self._over() and number != end:
                if self._compiled_pays():
                    number = self._compiled(number, end)
                else:
                    self._schedule(number)
                    number += 1
            if self.worst is not None:
                self.result.worst = self.worst.least(self._grace_is_up)
        except (KeyboardInterrupt, MemoryError) as error:
            self.result.interrupted = True
            if isinstance(error, MemoryError):
                WATCH.end(NO_MEMORY)
            elif self.worst is not None:
                self.result.worst = self.worst.least(lambda: True)
        self._look_at_clock()

    def _compiled_pays(self) -> bool:
        fuzzer = self.fuzzer
        if fuzzer.compiled_at is None or fuzzer.steps + self.result.steps < fuzzer.compiled_at:
            return False
        fuzzer.lacks = fuzzer.lacks or unloadable(fuzzer.engine)
        if fuzzer.lacks:
            printing.err(f"sim: {fuzzer.lacks}")
            fuzzer.compiled_at = None
            return False
        return True

    def _look_at_clock(self) -> None:
        self.result.seconds = time.perf_counter() - self._started

    def _over(self) -> bool:
        """Whether the fuzz has come to its end before all schedules are done."""
        result = self.result
        if not result.schedules and not result.unfinished:
            return False
        self._look_at_clock()
        if self._progress is not None:
            self._progress(result)
        result.stopped = bool(result.found) and not self.fuzzer.keep_going and self.worst is None
        return result.stopped or (self._seconds is not None and result.seconds >= self._seconds)

    def _time_is_up(self) -> bool:
        """Asked inside a schedule."""
        return self._seconds is not None and time.perf_counter() - self._started >= self._seconds

    def _grace_is_up(self) -> bool:
        """Asked while a violation is made less."""
        return self._seconds is not None and time.perf_counter() - self._started >= self._seconds + GRACE_S

    def _compiled(self, first: int, end: int) -> int | None:
        """The schedules of these numbers, compiled; where the plain engine has to go on, or None if nothing is left."""
        walk = self.fuzzer.walk()
        from sim.checker.compiled.mirror import TooLarge

        result = self.result
        if walk is None:
            self.fuzzer.compiled_at = None
            return first
        before = (result.schedules, result.steps, result.cut_short)
        walk.begin(result.coverage.merge)

        def over() -> bool:
            result.schedules, result.steps, result.cut_short = map(sum, zip(before, walk.counts, strict=True))
            return self._over()

        result.engine = "compiled"
        try:
            while (found := walk.run(first, end, over, self._time_is_up)) is not None:
                self._judge_again(*found)
                first = walk.next_number
                if over():
                    break
        except TooLarge:
            result.engine = "plain"
            self.fuzzer.compiled_at = None
            return walk.next_number
        finally:
            result.unfinished = result.unfinished or walk.left_off
            over()
            walk.hand_over()
            result.coverage.sizes.add(walk.sizes.seen, uneven=walk.sizes.choices)
            result.bound = result.coverage.sizes.bound(self.fuzzer.depth)
        return None

    def _judge_again(self, number: int, actions: list[Choice]) -> None:
        """A schedule of the compiled walk that seems to violate a property, once more by the plain engine."""
        if self._came_again(tuple(actions)):
            return
        picking = self.fuzzer.at(number)
        run = simulate(self.world, picking, max_steps=self.fuzzer.max_steps, round_ends=True, over=self._grace_is_up)
        if run.ending is Ending.INTERRUPTED:
            self.result.unfinished = True
            return
        assert [action for _, action in run.trace.steps] == actions, f"schedule {number} is another in compiled code"
        self.result.coverage.reach(run)
        if run.finding is not None:
            self._found(run, run.finding, picking.member if isinstance(picking, Portfolio) else picking, number)

    def _schedule(self, number: int) -> None:
        """One schedule: run, counted, and minimised if it violates a property."""
        result = self.result
        picking = self.fuzzer.at(number)
        seen: dict[Any, None] = {}
        run = simulate(
            self.world,
            picking,
            max_steps=self.fuzzer.max_steps,
            seen=seen,
            round_ends=True,
            over=self._time_is_up,
        )
        result.steps += run.steps
        if run.ending is Ending.INTERRUPTED:
            result.unfinished = True
            result.coverage.note(seen, run)
            return
        result.schedules += 1
        result.cut_short += run.ending is Ending.STEPS
        result.coverage.note(seen, run)
        picked = picking.member if isinstance(picking, Portfolio) else picking
        if isinstance(picked, PCTCP):
            result.coverage.sizes.note(picked, run)
            result.bound = result.coverage.sizes.bound(self.fuzzer.depth)
        if self.worst is not None:
            self.worst.note(run, picked, number)
        if run.finding is not None and (self.fuzzer.keep_going or not result.found):
            self._found(run, run.finding, picked, number)

    def _found(self, run: Run, finding: Finding, picking: Strategy, number: int) -> None:
        """Minimise a violation and file it; interrupted there, it is kept as it is."""
        start, actions = run.trace.start, tuple(action for _, action in run.trace.steps)
        if self._came_again(actions):
            return
        found = self.result.found
        try:
            shapes = {shape for prop, shape in self._known if prop == finding.property}
            least = minimise(self.world, start, actions, finding, known=shapes, over=self._grace_is_up)
        except KeyboardInterrupt:
            rough = counterexample_of(self.world, start, actions, finding, complete=False)
            found.append(Discovery(rough, picking.name, picking.seed, number, run.steps))
            raise
        new = Discovery(least, picking.name, picking.seed, number, run.steps)
        at = self._raw[actions] = self._known.setdefault(new.key, len(found))
        if at == len(found):
            found.append(new)
        else:
            found[at] = found[at].again(min(found[at].counterexample, least, key=lambda one: one.cost))

    def _came_again(self, actions: tuple[Choice, ...]) -> bool:
        """Whether a schedule that violates a property is one that was met before; then it is counted."""
        at = self._raw.get(actions)
        if at is not None:
            self.result.found[at] = self.result.found[at].again()
        return at is not None
