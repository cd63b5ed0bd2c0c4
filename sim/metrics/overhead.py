"""What counting costs, as ratios of two things measured alternately in one run.

A ratio, because nanoseconds say more about the machine than about the code; alternately, because a
machine changes its speed while it measures. The clock is an argument: this package reads none.
"""

from __future__ import annotations

import os
import platform
import sys
from array import array
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from statistics import median

from sim.metrics.bootstrap import Interval, median_interval
from sim.metrics.breakdown import Tally
from sim.metrics.session import SessionMetrics
from sim.metrics.usage import TokenUsage

Clock = Callable[[], int]
"""Nanoseconds from any fixed point, never going back; `time.perf_counter_ns` is one."""

STAGES = ("plan", "tasks", "implement", "validate", "audit", "unlock")
AGENTS = ("gemini", "claude", "gpt_codex", "gpt_pro")
USAGES = tuple(TokenUsage(1000 + n, 500, cached_input_tokens=100, reasoning_output_tokens=50) for n in range(1000))


ROUNDS_MIN = 5
"""Rounds that are measured at least, however long they take."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """The median over the rounds of `ns` / `base_ns`, and the fastest of each; the rounds themselves are in `samples`,
    each as (base, subject)."""

    ratio: float
    ns: int
    base_ns: int
    rounds: int
    samples: tuple[tuple[int, int], ...] = ()

    @property
    def interval(self) -> Interval:
        """The ratio with its interval."""
        return median_interval([ns / base_ns for base_ns, ns in self.samples])

    @property
    def medians_ns(self) -> tuple[int, int]:
        """The median of the base and that of the subject."""
        return (round(median(base for base, _ in self.samples)), round(median(ns for _, ns in self.samples)))


def compare(
    subject: Callable[[], object],
    base: Callable[[], object],
    *,
    clock_ns: Clock,
    rounds: int,
    settle: Callable[[], object] = lambda: None,
    enough: Callable[[], bool] = lambda: False,
) -> Ratio:
    """How many times longer `subject` takes than `base`; each is called `rounds` + 1 times, or until there is `enough`.

    The median of the ratios of neighbouring calls: an interrupted call moves it by one rank, not by its length. The
    first round warms up and is not counted, and who comes first changes from round to round: what a machine gains or
    loses meanwhile is nobody's. `settle` is called before each and not timed: if calls leave garbage, collect it there,
    or one is charged for the other's.
    """

    def timed(work: Callable[[], object]) -> int:
        settle()
        return spent(work, clock_ns)

    def pair(number: int) -> tuple[int, int]:
        if number % 2:
            ns = timed(subject)
            return timed(base), ns
        base_ns = timed(base)
        return base_ns, timed(subject)

    return ratio_of(pair, rounds=rounds, enough=enough)


def spent(work: Callable[[], object], clock_ns: Clock) -> int:
    """How long it takes; at least a nanosecond."""
    start = clock_ns()
    work()
    return max(1, clock_ns() - start)


def ratio_of(
    pair: Callable[[int], tuple[int, int]], *, rounds: int, enough: Callable[[], bool] = lambda: False
) -> Ratio:
    """The ratio of what `pair` measures in round 1, 2, ..., as (base, subject); its round 0 only warms up."""
    pair(0)
    counted: list[tuple[int, int]] = []
    while len(counted) < rounds and not (len(counted) >= ROUNDS_MIN and enough()):
        counted.append(pair(len(counted) + 1))
    return Ratio(
        median(ns / base_ns for base_ns, ns in counted),
        min(ns for _, ns in counted),
        min(base_ns for base_ns, _ in counted),
        len(counted),
        tuple(counted),
    )


def bare_additions() -> Tally:
    """The additions that recording `USAGES` requires: five sums and the turns, without a call."""
    row = Tally()
    for usage in USAGES:
        row.turns += 1
        row.input += usage.input_tokens
        row.output += usage.output_tokens
        row.cached += usage.cached_input_tokens
        row.cache_write += usage.cache_write_input_tokens
        row.reasoning += usage.reasoning_output_tokens
    return row


def record_labelled() -> SessionMetrics:
    """What an observer does: each turn billed to a (run, stage, agent, attempt)."""
    session = SessionMetrics()
    record_turn = session.record_turn
    for usage in USAGES:
        record_turn(usage, agent="gemini", stage="plan", run="r1", attempt=1)
    return session


def record_plain() -> SessionMetrics:
    """Turns without labels."""
    session = SessionMetrics()
    record_turn = session.record_turn
    for usage in USAGES:
        record_turn(usage)
    return session


def record_timed() -> SessionMetrics:
    """Labelled turns with a latency, which goes into the histogram: more than the additions."""
    session = SessionMetrics()
    record_turn = session.record_turn
    for usage in USAGES:
        record_turn(usage, agent="gemini", stage="plan", run="r1", attempt=1, latency_ms=usage.input_tokens)
    return session


def session_of(turns: int, labels: Iterable[tuple[str, str, str, int]]) -> SessionMetrics:
    """A session of this many turns, which takes its (run, stage, agent, attempt) from `labels` in turn."""
    session = SessionMetrics()
    record_turn = session.record_turn
    size = len(USAGES)
    for turn, (run, stage, agent, attempt) in zip(range(turns), labels, strict=False):
        record_turn(
            USAGES[turn % size],
            run=run,
            stage=stage,
            agent=agent,
            attempt=attempt,
            latency_ms=turn % 1000,
        )
    return session


def round_labels(runs: int | None = 1) -> Iterable[tuple[str, str, str, int]]:
    """The labels of `runs` runs over every stage and agent, again and again; None never repeats a run."""
    run = 0
    while True:
        for stage in STAGES:
            for agent in AGENTS:
                yield (f"run-{run}", stage, agent, 1)
        run += 1
        if runs is not None:
            run %= runs


def retained_bytes(session: SessionMetrics) -> int:
    """Bytes of a session and of everything that only it keeps alive (usages and types are shared).

    Computed, not measured on a process: allocators round, and a process never returns what it used.
    """
    seen: set[int] = set()
    waiting: list[object] = [session]
    total = 0
    while waiting:
        item = waiting.pop()
        if id(item) in seen or isinstance(item, TokenUsage | type):
            continue
        seen.add(id(item))
        total += sys.getsizeof(item)
        if isinstance(item, dict):
            waiting += [*item.keys(), *item.values()]
        elif not isinstance(item, str | int | array):  # an array's size includes its items
            slots = getattr(type(item), "__slots__", ())
            waiting += [getattr(item, name) for name in slots if hasattr(item, name)]
            if hasattr(item, "__iter__"):
                waiting += list(item)
    return total


def measured_on() -> dict[str, str | int]:
    """Where the figures were measured: interpreter, machine and version, no names of hosts or people."""
    return {
        "roundsim": version("roundsim"),
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "system": platform.system(),
        "machine": platform.machine(),
        "cpus": os.cpu_count() or 0,
    }


@dataclass(frozen=True, slots=True)
class Overhead:
    """What counting costs."""

    recorded: Mapping[str, Ratio]
    """`record_turn`, as it is called, against the bare additions."""
    turns: tuple[int, int]
    """Few and many."""
    bytes: tuple[int, int]
    """What a session of so many turns keeps."""
    run: Ratio | None
    """A whole run with metrics against one without."""

    def as_dict(self) -> dict[str, object]:
        """The figures of `sim bench metrics --json`: `ratio_*` are medians, `ns_*` the fastest."""
        found: dict[str, object] = {}
        for name, one in self.recorded.items():
            found[f"ratio_{name}"] = round(one.ratio, 3)
            found[f"ns_{name}"] = one.ns // len(USAGES)
            found.setdefault("ns_bare_additions", one.base_ns // len(USAGES))
        few, many = self.bytes
        found |= {"turns_few": self.turns[0], "turns_many": self.turns[1], "bytes_few": few, "bytes_many": many}
        found |= {"ratio_memory": round(many / few, 3), "ratio_run": None}
        if self.run is not None:
            interval = self.run.interval
            found["ratio_run"] = round(self.run.ratio, 4)
            found["ratio_run_interval"] = [round(interval.low, 4), round(interval.high, 4)]
            found |= {"ns_run": self.run.ns, "ns_run_without": self.run.base_ns, "run_rounds": self.run.rounds}
        rounds = {one.rounds for one in self.recorded.values()}
        return found | {"rounds": max(rounds), "measured_on": measured_on()}


SUBJECTS = {
    "record_turn": record_labelled,
    "record_turn_plain": record_plain,
    "record_turn_with_latency": record_timed,
}


def measure(
    clock_ns: Clock,
    *,
    rounds: int = 200,
    turns_few: int = 1_000,
    turns_many: int = 1_000_000,
    run: Ratio | None = None,
) -> Overhead:
    """`record_turn` against the bare additions; sessions of `turns_many` and `turns_few` turns (each at least 1); and
    with them what was measured of a whole `run`, with metrics against without."""
    recorded = {
        name: compare(subject, bare_additions, clock_ns=clock_ns, rounds=rounds) for name, subject in SUBJECTS.items()
    }
    few = retained_bytes(session_of(turns_few, round_labels()))
    many = retained_bytes(session_of(turns_many, round_labels()))
    return Overhead(recorded, (turns_few, turns_many), (few, many), run)
