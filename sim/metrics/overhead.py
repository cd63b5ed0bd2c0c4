"""What counting costs, as ratios of two things measured alternately in one run.

A ratio, because nanoseconds say more about the machine than about the code; alternately, because a
machine changes its speed while it measures. The clock is an argument: this package reads none.
"""

from __future__ import annotations

import os
import platform
import sys
from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import version
from statistics import median

from sim.metrics.breakdown import Tally
from sim.metrics.session import SessionMetrics
from sim.metrics.usage import TokenUsage

Clock = Callable[[], int]
"""Nanoseconds from any fixed point, never going back; `time.perf_counter_ns` is one."""

STAGES = ("plan", "tasks", "implement", "validate", "audit", "unlock")
AGENTS = ("gemini", "claude", "gpt_codex", "gpt_pro")
USAGES = tuple(TokenUsage(1000 + n, 500, cached_input_tokens=100, reasoning_output_tokens=50) for n in range(1000))


@dataclass(frozen=True, slots=True)
class Ratio:
    """The median over the rounds of `ns` / `base_ns`, and the fastest of each per round."""

    ratio: float
    ns: int
    base_ns: int
    rounds: int


def compare(
    subject: Callable[[], object],
    base: Callable[[], object],
    *,
    clock_ns: Clock,
    rounds: int,
    settle: Callable[[], object] = lambda: None,
) -> Ratio:
    """How many times longer `subject` takes than `base`; each is called `rounds` + 1 times.

    The median of the ratios of neighbouring calls: an interrupted call moves it by one rank, not by its length. The
    first round warms up and is not counted. `settle` is called before each and not timed: if calls leave garbage,
    collect it there, or one is charged for the other's.
    """

    def timed(work: Callable[[], object]) -> int:
        settle()
        start = clock_ns()
        work()
        return max(1, clock_ns() - start)

    counted = [(timed(base), timed(subject)) for _ in range(rounds + 1)][1:]
    return Ratio(
        median(ns / base_ns for base_ns, ns in counted),
        min(ns for _, ns in counted),
        min(base_ns for base_ns, _ in counted),
        rounds,
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


def measure(
    clock_ns: Clock,
    *,
    rounds: int = 200,
    turns_few: int = 1_000,
    turns_many: int = 10_000_000,
    run_on: Callable[[], object] | None = None,
    run_off: Callable[[], object] | None = None,
    run_rounds: int = 20,
    settle: Callable[[], object] = lambda: None,
) -> dict[str, object]:
    """The figures of `sim bench metrics --json`.

    `ratio_record_turn` is `record_turn` with labels against the bare additions; `bytes_*` and
    `ratio_memory` compare sessions of `turns_many` and `turns_few` turns (each at least 1).
    `ratio_run` is `run_on` against `run_off`, one whole scenario with metrics and without, if both are
    given, and None otherwise; `settle` is called before each of these, untimed. Ten million turns take some seconds.
    """
    results: dict[str, object] = {}
    for name, subject in (
        ("ratio_record_turn", record_labelled),
        ("ratio_record_turn_plain", record_plain),
        ("ratio_record_turn_with_latency", record_timed),
    ):
        found = compare(subject, bare_additions, clock_ns=clock_ns, rounds=rounds)
        results[name] = round(found.ratio, 3)
        results[name.replace("ratio_", "ns_")] = found.ns // len(USAGES)
        results.setdefault("ns_bare_additions", found.base_ns // len(USAGES))
    bytes_few = retained_bytes(session_of(turns_few, round_labels()))
    bytes_many = retained_bytes(session_of(turns_many, round_labels()))
    results |= {
        "turns_few": turns_few,
        "turns_many": turns_many,
        "bytes_few": bytes_few,
        "bytes_many": bytes_many,
        "ratio_memory": round(bytes_many / bytes_few, 3),
        "ratio_run": None,
    }
    if run_on is not None and run_off is not None:
        run = compare(run_on, run_off, clock_ns=clock_ns, rounds=run_rounds, settle=settle)
        results["ratio_run"] = round(run.ratio, 4)
        results |= {"ns_run": run.ns, "ns_run_without": run.base_ns, "run_rounds": run_rounds}
    results["rounds"] = rounds
    results["measured_on"] = measured_on()
    return results
