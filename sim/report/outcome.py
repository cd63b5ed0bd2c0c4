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
    return JudgedRun(scenario, run, tuple(_missed(scenario.expect, run)), replay, verified, plan, metrics)


def _missed(expect: Expectation, run: Run) -> list[str]:
    found = []
    finding = run.finding
    if run.verdict != expect.verdict:
        why = f": {finding.message}" if finding else ""
        found.append(f"verdict: expected {expect.verdict}, got {run.verdict}{why}")
    elif expect.violation is not None and finding is not None and finding.property != expect.violation:
        found.append(f"violation: expected {expect.violation}, got {finding.property}: {finding.message}")
    found += _counts("emitted", expect.emitted, run.trace.emitted())
    found += _counts("rejected", expect.rejected, run.trace.rejected())
    for name, state in expect.states.items():
        actual = run.ends[name]
        if actual != state:
            found.append(f"states: expected {name} in {state}, got {actual}")
    return found


def _counts(what: str, expected: Mapping[str, int], actual: Mapping[str, int]) -> list[str]:
    return [
        f"{what}: expected {count} {name}, got {actual.get(name, 0)}"
        for name, count in expected.items()
        if actual.get(name, 0) != count
    ]
