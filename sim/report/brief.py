"""Many runs: a line for each, and what came of all of them."""

from __future__ import annotations

from collections.abc import Sequence

from sim.base.marked import Meaning, marked
from sim.report.outcome import JudgedRun

OK, NOT = "ok  ", "NOT "


def brief_line(outcome: JudgedRun, width: int | None = None) -> str:
    """A run in one line: whether it is as its file expects, and what came of it; where it is not, its first expectation
    that was missed. A line that would be wider than that names the file and no more, if nothing is wrong with it."""
    run, path = outcome.run, outcome.scenario.path
    if outcome.as_expected:
        what = f"violates {run.finding.property}, as expected" if run.finding is not None else run.verdict
        told = f"  {path}: {what}, after {run.steps} steps"
        fits = width is None or len(OK) + len(told) <= width
        return marked((OK, Meaning.GOOD), told if fits else f"  {path}")
    first, *others = missed_places(outcome)
    return marked((NOT, Meaning.BAD), f"  {first}{f' (and {len(others)} more)' if others else ''}")


def missed_places(outcome: JudgedRun) -> list[str]:
    """What a run missed, each with its place in the file."""
    pairs = zip(outcome.lines or (1,) * len(outcome.missed), outcome.missed, strict=True)
    return [f"{outcome.scenario.path}:{line}: {missed}" for line, missed in pairs]


def closing_lines(outcomes: Sequence[JudgedRun], unsteady: Sequence[str], refused: Sequence[str], of: int) -> list[str]:
    """How many runs were as expected, and what was not; of those that differ elsewhere or could not run, too."""
    missed = [missed_places(outcome) for outcome in outcomes if not outcome.as_expected]
    told = [place for places in missed for place in places]
    told += [f"{path}: differs in another process" for path in unsteady]
    told += refused
    good = sum(outcome.as_expected and outcome.scenario.path not in unsteady for outcome in outcomes)
    left = of - len(outcomes) - len(refused)
    counts = [
        marked((f"{good} as expected", Meaning.GOOD if good else None)),
        *([marked((f"{len(missed)} not", Meaning.BAD))] if missed else []),
        *([marked((f"{len(unsteady)} not deterministic", Meaning.BAD))] if unsteady else []),
        *([marked((f"{len(refused)} could not be run", Meaning.BAD))] if refused else []),
        *([marked((f"{left} not run", Meaning.ODD))] if left else []),
    ]
    parts = [
        part for number, count in enumerate(counts) for part in ([(", ", None)] if number else []) + [*count.parts]
    ]
    if len(told) == 1:
        return [marked(*parts, f": {told[0]}")]
    return [marked(*parts, ":" if told else ""), *(f"  {one}" for one in told)]
