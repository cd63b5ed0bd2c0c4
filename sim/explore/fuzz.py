"""The fuzz: many schedules by seed, every violation minimised.

Schedule `k` of seed `s` uses the seed `derive(s, k)` and nothing else: any of them can be run again alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sim.action import Action
from sim.errors import ConfigError
from sim.explore.bound import Bound, Sizes
from sim.explore.coverage import Coverage
from sim.explore.minimise import Minimised, minimise, unminimised
from sim.graph import Graph, State
from sim.judge import Finding, Judge
from sim.mixer import derive, stream
from sim.simulation import MAX_STEPS, simulate
from sim.strategy import PCTCP, Portfolio, Strategy, make_strategy
from sim.system import System, refuse_timed
from sim.trace import Ending, Run

SCHEDULES = 10_000
"""Schedules of a fuzz that is bounded neither by number nor by time."""


@dataclass
class FuzzFinding:
    """A violation that a fuzz found, and its minimised counterexample."""

    finding: Finding
    strategy: str
    """The strategy that found it; a portfolio names the one whose turn it was."""
    seed: int
    """The seed of that one schedule."""
    number: int
    """Which schedule it was, from 0."""
    steps: int
    """Its length before it was minimised."""
    minimised: Minimised
    times: int = 1
    """How many schedules came to it."""

    @property
    def message(self) -> str:
        return self.minimised.finding.message

    @property
    def schedule(self) -> list[str]:
        """The minimised schedule, as addresses."""
        return self.minimised.schedule

    @property
    def property(self) -> str:
        """The name of the property that is violated."""
        return self.finding.property


@dataclass
class FuzzResult:
    """What a fuzz covered and found."""

    strategy: str
    seed: int
    graph: Graph
    coverage: Coverage
    schedules: int = 0
    """Schedules run to their end."""
    steps: int = 0
    cut_short: int = 0
    """Schedules that were ended by the bound on steps."""
    seconds: float = 0.0
    """Of the schedules and of minimising."""
    interrupted: bool = False
    stopped: bool = False
    """Whether it ended at a violation."""
    found: list[FuzzFinding] = field(default_factory=list)
    bound: Bound | None = None
    """Of the schedules that PCTCP picked, where a bound is proved."""

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
    system: System | Graph,
    *,
    schedules: int | None = None,
    seconds: float | None = None,
    first: int = 0,
    seed: int = 0,
    strategy: str = "portfolio",
    keep_going: bool = False,
    max_steps: int = MAX_STEPS,
    depth: int | None = None,
    progress: Progress | None = None,
) -> FuzzResult:
    """Run schedules until a property is violated, or `schedules` of them are done, or `seconds` are over
    (the first of what is given; 10,000 schedules if neither is).

    - `first`: the number of the first schedule; what a schedule does depends on seed and number alone, so that
      a fuzz may be divided into ranges of numbers
    - `strategy`: a name of `sim.strategy.STRATEGIES`
    - `keep_going`: go on after a violation, and group equal ones (same property, same minimised shape)
    - `max_steps`: where a schedule ends that does not end by itself
    - `depth`: of the bugs that PCTCP looks for
    - `progress`: called after every schedule

    A KeyboardInterrupt ends it with what was done and found. Raises `ConfigError` for an unknown strategy
    or a bound below 1, `ModelError` if the model breaks a rule of the framework.
    """
    for name, bound in (("schedules", schedules), ("seconds", seconds), ("max_steps", max_steps)):
        if bound is not None and bound <= 0:
            raise ConfigError(f"{name} is {bound}; give more than 0")
    if first < 0:
        raise ConfigError(f"first is {first}; schedules are numbered from 0")
    make_strategy(strategy, seed, depth=depth)  # its mistakes come before anything is run
    graph = system if isinstance(system, Graph) else Graph(system)
    refuse_timed(graph.system, "a fuzz")
    result = FuzzResult(strategy, seed, graph, Coverage(graph))
    if schedules is None and seconds is None:
        schedules = SCHEDULES
    _Fuzz(result, depth, max_steps, keep_going).run(first, schedules, seconds, progress)
    return result


def schedule_seed(seed: int, number: int) -> int:
    """The seed of schedule `number` of a fuzz with `seed`."""
    return stream(derive(seed, "schedules"), number)


class _Noting(Judge):
    """Judges, and keeps the states it has seen."""

    def __init__(self, graph: Graph) -> None:
        super().__init__(graph)
        self.seen: dict[State, None] = {}

    def judge(self, state: State) -> Finding | None:
        self.seen[state] = None
        return super().judge(state)


class _Fuzz:
    def __init__(self, result: FuzzResult, depth: int | None, max_steps: int, keep_going: bool) -> None:
        self.result = result
        self.graph = result.graph
        self.depth = depth
        self.max_steps = max_steps
        self.keep_going = keep_going
        self.noting = _Noting(self.graph)
        self.judge = Judge(self.graph)
        self.sizes = Sizes()
        self._known: dict[tuple[str, tuple[str, ...]], FuzzFinding] = {}
        self._raw: dict[tuple[Action, ...], FuzzFinding] = {}

    def run(self, first: int, schedules: int | None, seconds: float | None, progress: Progress | None) -> None:
        result = self.result
        started = time.perf_counter()
        number = first
        try:
            while schedules is None or number < first + schedules:
                self._schedule(number)
                number += 1
                result.seconds = time.perf_counter() - started
                if progress is not None:
                    progress(result)
                if result.found and not self.keep_going:
                    result.stopped = True
                    break
                if seconds is not None and result.seconds >= seconds:
                    break
        except KeyboardInterrupt:
            result.interrupted = True
        result.seconds = time.perf_counter() - started

    def _schedule(self, number: int) -> None:
        """One schedule: run, counted, and minimised if it violates a property."""
        result = self.result
        picking = make_strategy(result.strategy, schedule_seed(result.seed, number), number=number, depth=self.depth)
        self.noting.seen = {}
        run = simulate(self.graph, picking, max_steps=self.max_steps, judge=self.noting)
        result.schedules += 1
        result.steps += run.steps
        result.cut_short += run.ending is Ending.STEPS
        result.coverage.note(self.noting.seen, run)
        picked = picking.member if isinstance(picking, Portfolio) else picking
        if isinstance(picked, PCTCP):
            self.sizes.note(picked, run)
            result.bound = self.sizes.bound(self.graph)
        if run.finding is not None:
            self._found(run, run.finding, picked, number)

    def _found(self, run: Run, finding: Finding, picking: Strategy, number: int) -> None:
        """Minimise a violation and file it; interrupted there, it is kept as it is."""
        actions = [action for _, action in run.trace.steps]
        known = self._raw.get(tuple(actions))
        if known is not None:
            known.times += 1
            return
        start = run.trace.start
        rough = unminimised(self.graph, start, actions, finding)
        found = FuzzFinding(finding, picking.name, picking.seed, number, run.steps, rough)
        try:
            shapes = {shape for prop, shape in self._known if prop == finding.property}
            found.minimised = minimise(self.graph, start, actions, finding, judge=self.judge, known=shapes)
        except KeyboardInterrupt:
            self.result.found.append(found)
            raise
        first = self._known.setdefault((finding.property, found.minimised.shape), found)
        if first is found:
            self.result.found.append(found)
        else:
            first.times += 1
            if found.minimised.cost < first.minimised.cost:
                first.minimised = found.minimised
        self._raw[tuple(actions)] = first
