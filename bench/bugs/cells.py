"""What it takes to find one planted bug, by each way of looking: how many schedules or examples, how long."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from statistics import median_high

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.errors import FlakyStrategyDefinition
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from bench.bugs.machine import plain_machine
from bench.bugs.table import Bug
from sim import Graph, check, fuzz, state_machine

STRATEGIES = ("portfolio", "uniform", "pctcp", "pos", "swarm", "timed")
MACHINES = {"plain machine": plain_machine, "`state_machine`": state_machine}
SEEDS, SCHEDULES_MAX = 5, 2_000
"""Of a fuzz: how many seeds, and schedules before it gives up with one of them."""
MACHINE_SEEDS, EXAMPLES_MAX = 3, 1_000
"""The same of a machine of Hypothesis, whose examples take longer."""
CELL_SECONDS_MAX = 60.0
"""Seconds for all seeds of a cell; what is not found by then is not found."""


@dataclass(frozen=True)
class Cell:
    """How one way of looking fared with one bug: medians over the seeds, which count one that found nothing
    as worst. `found` is whether the median one did."""

    found: bool
    tries: int
    """Schedules or examples up to and with the one that found it; of a check, the states it met."""
    seconds: float


def middle(cells: Iterable[Cell]) -> Cell:
    """The higher middle one, by tries and by seconds each."""
    every = list(cells)
    found = median_high(not cell.found for cell in every) == 0
    return Cell(found, median_high(c.tries for c in every), median_high(c.seconds for c in every))


def checked(bug: Bug) -> Cell:
    """The exhaustive check, from a cold start of its tables."""
    result = check(bug.planted())
    found = result.finding is not None and result.finding.property == bug.prop
    return Cell(found, result.states, result.seconds)


def fuzzed(graph: Graph, strategy: str) -> Cell:
    """`sim fuzz` with this strategy; the seconds include minimising, for which a user waits too."""
    left = _Left()

    def one(number: int) -> Cell:
        result = fuzz(graph, strategy=strategy, seed=number, schedules=SCHEDULES_MAX, seconds=left.seconds)
        tries = result.found[0].number + 1 if result.found else SCHEDULES_MAX
        return Cell(bool(result.found), tries, result.seconds)

    return middle(left.each(one, SEEDS, SCHEDULES_MAX))


def tried(graph: Graph, machine: str) -> Cell:
    """A machine of Hypothesis; the seconds end at the first failure, before it is shrunk."""
    left = _Left()
    base = MACHINES[machine](graph)
    return middle(left.each(lambda number: _examples(base, number, left.seconds), MACHINE_SEEDS, EXAMPLES_MAX))


class _Left:
    """The time that is left to a cell."""

    def __init__(self) -> None:
        self._ends = time.perf_counter() + CELL_SECONDS_MAX

    @property
    def seconds(self) -> float:
        return max(self._ends - time.perf_counter(), 0.001)

    def each(self, one: Callable[[int], Cell], seeds: int, tries_max: int) -> Iterator[Cell]:
        """One cell for each seed; those that there is no time for find nothing."""
        for number in range(seeds):
            late = self._ends < time.perf_counter()
            yield Cell(False, tries_max, CELL_SECONDS_MAX) if late else one(number)


class _Over(Exception):
    """An example failed, or the time is over."""


def _examples(base: type[RuleBasedStateMachine], number: int, seconds: float) -> Cell:
    """Examples of one machine with one seed, up to the first that fails."""
    began = time.perf_counter()
    ended: list[Cell] = []
    examples = 0

    class Counting(base):  # type: ignore[misc, valid-type]
        """Counts its examples; says when the first of them fails, or the time is over."""

        def __init__(self) -> None:
            nonlocal examples
            if not ended and time.perf_counter() - began > seconds:
                self._over(False)
            examples += 1
            super().__init__()

        def _judge(self) -> None:
            if self.walk.finding is not None:
                self._over(True)

        def _over(self, found: bool) -> None:
            if not ended:
                ended.append(Cell(found, examples, time.perf_counter() - began))
            raise _Over

    wanted = settings(
        max_examples=EXAMPLES_MAX,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    try:
        run_state_machine_as_test(seed(number)(Counting), settings=wanted)
    except (_Over, FlakyStrategyDefinition):  # an example that is cut off draws less than one like it before
        assert ended
        return ended[0]
    return Cell(False, EXAMPLES_MAX, time.perf_counter() - began)
