"""A scenario's run compared with what the scenario expects of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from sim.run.trace import Run
from sim.scenario import Expectation, Scenario
from sim.world.story import Story

if TYPE_CHECKING:
    from sim.metrics.of_run import RunMetrics


@dataclass(frozen=True)
class JudgedRun:
    """A run, and each expectation it missed as a sentence."""

    scenario: Scenario
    run: Run
    missed: tuple[str, ...] = ()
    replay: str = ""
    """The command that runs it again."""
    verified: bool | None = None
    """Whether runs in other processes gave the same trace; None if not verified."""
    planned: Mapping[str, int | None] = field(default_factory=dict)
    metrics: RunMetrics | None = None
    """What the run used; None if it was not measured."""
    lines: tuple[int, ...] = ()
    """The line of the file in which each of the missed expectations stands."""

    @property
    def as_expected(self) -> bool:
        return not self.missed

    @cached_property
    def story(self) -> Story:
        """What happened in the run; told once, for all that is written of it."""
        return self.run.trace.tell()


def compare(
    scenario: Scenario, run: Run, replay: str, verified: bool | None = None, metrics: RunMetrics | None = None
) -> JudgedRun:
    """Compares a run with its scenario's expectations."""
    planned: Counter[str] = Counter()
    if scenario.schedule is None:
        for entry in scenario.system.budget:
            planned[entry.kind] += entry.count or 0
    endless = {entry.kind for entry in scenario.system.budget if entry.count is None}
    plan: dict[str, int | None] = {kind: None if kind in endless else n for kind, n in planned.items()}
    missed = _missed(scenario.expect, run)
    lines, sentences = tuple(line for line, _ in missed), tuple(sentence for _, sentence in missed)
    return JudgedRun(scenario, run, sentences, replay, verified, plan, metrics, lines)


def _missed(expect: Expectation, run: Run) -> list[tuple[int, str]]:
    """Each expectation that was missed: its line in the file, and a sentence."""
    found = []
    finding = run.finding
    if run.verdict != expect.verdict:
        why = f": {finding.message}" if finding else ""
        said = "verdict" if ("verdict",) in expect.lines else "violation"  # a file may leave out what follows
        found.append((expect.line_of(said), f"verdict: expected {expect.verdict}, got {run.verdict}{why}"))
    elif expect.violation is not None and finding is not None and finding.property != expect.violation:
        sentence = f"violation: expected {expect.violation}, got {finding.property}: {finding.message}"
        found.append((expect.line_of("violation"), sentence))
    found += _counts("emitted", expect, expect.emitted, run.trace.emitted())
    found += _counts("rejected", expect, expect.rejected, run.trace.rejected())
    for name, state in expect.states.items():
        actual = run.ends[name]
        if actual != state:
            found.append((expect.line_of("states", name), f"states: expected {name} in {state}, got {actual}"))
    return found


def _counts(
    what: str, expect: Expectation, expected: Mapping[str, int], actual: Mapping[str, int]
) -> list[tuple[int, str]]:
    return [
        (expect.line_of(what, name), f"{what}: expected {count} {name}, got {actual.get(name, 0)}")
        for name, count in expected.items()
        if actual.get(name, 0) != count
    ]
