"""Results as plain data, for `--json`. The keys are a contract."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sim.report.covered import transition_data
from sim.scenario.parsed import Opened
from sim.system.declaration import Declaration
from sim.system.persisted import beginning_data
from sim.world.finding import Finding

if TYPE_CHECKING:
    from sim.checker.result import CheckResult
    from sim.fuzzer.discovery import Discovery
    from sim.fuzzer.worst import Worst
    from sim.minimiser.counterexample_file import CounterexampleFile
    from sim.report.fuzzed import Fuzzed
    from sim.report.outcome import JudgedRun
    from sim.scenario import Target


def begins_data(system: Opened) -> dict[str, Any] | None:
    """Where a system begins that does not begin at its start."""
    return beginning_data(system) if isinstance(system, Declaration) else None


def run_data(outcome: JudgedRun) -> dict[str, Any]:
    """One run of `sim run --json`."""
    scenario, run = outcome.scenario, outcome.run
    trace = run.trace
    return {
        "scenario": scenario.path,
        "model": scenario.model,
        "begins": begins_data(scenario.system),
        "verdict": run.verdict,
        "as_expected": outcome.as_expected,
        "missed": list(outcome.missed),
        "violation": finding_data(run.finding),
        "ending": run.ending.value,
        "strategy": scenario.strategy,
        "seed": scenario.seed,
        "digest": run.digest,
        "verified": outcome.verified,
        "steps": run.steps,
        "time_ms": trace.time_ms,
        "emitted": trace.emitted(),
        "rejected": trace.rejected(),
        "faults": {"planned": dict(outcome.planned), "struck": trace.struck()},
        "states": run.ends,
        "metrics": {
            "sent": trace.sent,
            "delivered": trace.delivered,
            "handler_calls": trace.handler_calls,
            "enabled": outcome.metrics is not None,
            **(outcome.metrics.as_dict() if outcome.metrics is not None else {}),
        },
        "replay": outcome.replay,
    }


def check_data(result: CheckResult, target: Target, counterexample: str | None, as_expected: bool) -> dict[str, Any]:
    """The object of `sim check --json`; `counterexample` is the path of the scenario that replays it."""
    finding = result.finding
    found = None
    if finding is not None:
        found = {
            "property": finding.property,
            "message": finding.message,
            "scenario": counterexample,
            "steps": len(result.path),
            "words": [] if result.counterexample is None else list(result.counterexample.words),
            "schedule": [] if result.counterexample is None else list(result.counterexample.schedule),
        }
    return {
        "target": target.name,
        "begins": begins_data(target.system),
        "verdict": result.verdict,
        "as_expected": as_expected,
        "violation": finding_data(finding),
        "states": result.states,
        "generated": result.generated,
        "depth": result.depth,
        "handler_calls": result.handler_calls,
        "outside_bound": result.outside,
        "stopped": result.stopped or None,
        "grew": result.grew,
        "complete": result.complete,
        "deviations": None,
        "schedules": None,
        "bound_by": result.bound_by or None,
        "rests": result.rests,
        "cycles": result.cycles,
        "cycles_off": result.cycles_off or None,
        "proved": result.proved,
        "assumed": result.assumed or None,
        "notes": result.notes,
        "engine": result.engine,
        "reduced": result.reduced is not None and bool(result.reduced.applied),
        "reductions": None if result.reduced is None else asdict(result.reduced),
        "collision_probability": result.collision_probability,
        "transitions": transition_data(result.transitions, result.untaken),
        "seconds": round(result.seconds, 6),
        "counterexample": found,
    }


def fuzz_data(
    result: Fuzzed,
    target: Target,
    kept: Sequence[CounterexampleFile],
    as_expected: bool,
    worst: tuple[Worst, CounterexampleFile] | None = None,
) -> dict[str, Any]:
    """The object of `sim fuzz --json`; `kept` are the files of what was found, `worst` is the worst schedule and its file, where
    it was asked for."""
    bound = result.bound
    return {
        "target": target.name,
        "begins": begins_data(target.system),
        "verdict": result.verdict,
        "as_expected": as_expected,
        "strategy": result.strategy,
        "seed": result.seed,
        "schedules": result.schedules,
        "steps": result.steps,
        "seconds": round(result.seconds, 6),
        "walk": result.engine,
        "interrupted": result.interrupted,
        "cut_short": result.cut_short,
        "unfinished": result.unfinished,
        **coverage_data(result),
        "bound": None if bound is None else {**bound._asdict(), "probability": str(bound.probability)},
        "found": [
            {**found_data(found), "scenario": file.path, "replay": file.replay}
            for found, file in zip(result.found, kept, strict=True)
        ],
        **({} if worst is None else {"worst": _worst_data(*worst)}),
    }


def _worst_data(worst: Worst, file: CounterexampleFile) -> dict[str, Any]:
    return {**worst.as_dict(), **found_data(worst.discovery), "scenario": file.path, "replay": file.replay}


def coverage_data(result: Fuzzed) -> dict[str, Any]:
    """What a fuzz covered, as data."""
    coverage = result.coverage
    once, visits = coverage.unseen
    return {
        "states": result.states,
        "transitions": transition_data(coverage.transitions, coverage.untaken),
        "unreached": coverage.unreached,
        "unseen": {"once": once, "visits": visits},
        "round": coverage.round or None,
    }


def found_data(found: Discovery) -> dict[str, Any]:
    """A violation that a fuzz found, as data."""
    least = found.counterexample
    return {
        "property": least.property,
        "message": least.message,
        "seed": found.seed,
        "strategy": found.strategy,
        "times": found.times,
        "steps": least.steps,
        "complete": least.complete,
        "deviations": least.deviations,
        "words": list(least.words),
        "schedule": list(least.schedule),
    }


def finding_data(finding: Finding | None) -> dict[str, str] | None:
    """A finding as data."""
    return None if finding is None else {"property": finding.property, "message": finding.message}
