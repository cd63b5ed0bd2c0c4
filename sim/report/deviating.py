"""A check in order of deviations, in lines and as data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sim.report.data import finding_data
from sim.report.text import counterexample_lines

if TYPE_CHECKING:
    from sim.checker.bounded_result import BoundedResult
    from sim.scenario import Target


def bounded_lines(result: BoundedResult, where: str | None, replay: str | None) -> Iterator[str]:
    """What was covered, then how far it is ok, or the counterexample."""
    yield ""
    rate = f", {result.steps / result.seconds:,.0f} steps/s" if result.seconds > _TOO_SHORT_S else ""
    same = f" ({result.same:,} more come to one of them)" if result.same else ""
    yield (
        f"{_schedules(result.schedules)}{same}, {result.steps:,} steps, {result.handler_calls:,} callbacks, "
        f"{result.seconds:.2f} s{rate}"
    )
    if result.finding is not None:
        yield f"VIOLATED  {result.finding.property}: {result.finding.message}"
        if result.counterexample is not None:
            yield from counterexample_lines(result.counterexample)
        if where is not None:
            yield f"written to {where}; replay it with: {replay}"
        return
    for note in result.notes:
        yield f"note      {note}"
    if result.complete:
        yield f"judged    {', '.join(result.proved)}"
        yield f"ok: all {_schedules(result.schedules)}"
    elif result.verdict == "ok":
        yield f"ok within {_deviations(result.deviations)} ({_schedules(result.schedules)})"
    else:
        covered = f" with up to {_deviations(result.covered)}, or" if result.covered >= 0 else ""
        yield f"INCOMPLETE  {result.stopped}; nothing wrong in the schedules{covered} run so far"


def bounded_data(
    result: BoundedResult, target: Target, counterexample: str | None, as_expected: bool
) -> dict[str, Any]:
    """The object of `sim check --json` of a program; `counterexample` is the path of the scenario that replays it."""
    least = result.counterexample
    return {
        "target": target.name,
        "begins": None,
        "verdict": result.verdict,
        "as_expected": as_expected,
        "violation": finding_data(result.finding),
        "states": result.places,
        "schedules": result.schedules,
        "same": result.same,
        "cut_short": result.cut_short,
        "steps": result.steps,
        "handler_calls": result.handler_calls,
        "stopped": result.stopped or None,
        "complete": result.complete,
        "deviations": result.deviations,
        "covered": result.covered if result.covered >= 0 else None,
        "bound_by": result.bound_by or None,
        "rests": result.rests,
        "cycles": None,
        "proved": result.proved,
        "notes": result.notes,
        "engine": result.engine,
        "collision_probability": result.collision_probability,
        "seconds": round(result.seconds, 6),
        "counterexample": None
        if result.finding is None
        else {
            "property": result.finding.property,
            "message": result.finding.message,
            "scenario": counterexample,
            "steps": len(result.path) if least is None else least.steps,
            "deviations": None if least is None else least.deviations,
            "words": [] if least is None else list(least.words),
            "schedule": [] if least is None else list(least.schedule),
        },
    }


def _schedules(number: int) -> str:
    return f"{number:,} schedule{'' if number == 1 else 's'}"


def _deviations(number: int) -> str:
    return f"{number:,} deviation{'' if number == 1 else 's'}"


_TOO_SHORT_S = 0.01
"""From so many seconds on a rate says something."""
