"""Keeps counterexamples for the commands that find them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import click

from sim.errors import ExitStatus
from sim.explore.counterexample import allowances, file_name, replay_command, write_counterexample
from sim.explore.minimise import Minimised
from sim.scenario import Expectation, Target


class Kept(NamedTuple):
    """A counterexample on disk: its path and the command that replays it."""

    path: str
    replay: str


def keep(
    target: Target,
    counterexample: Minimised,
    folder: Path,
    *,
    origin: Sequence[str] = (),
    number: int = 1,
    html: bool = False,
) -> Kept:
    """Write a counterexample into `folder`, and beside it, if `html`, what it looks like when it is run."""
    path = folder / file_name(target.model, counterexample.finding.property, number)
    replay = replay_command(str(path), target.model)
    write_counterexample(path, target, counterexample, replay=replay, origin=origin)
    if html:
        _write_page(path, allowances(target.model))
    return Kept(str(path), replay)


def _write_page(scenario: Path, allow: Sequence[str]) -> None:
    """Run a scenario file that was just written, and write its page beside it; says so in one line on
    standard error, as what a command prints is about what it found."""
    from sim.cli.pages import write_files
    from sim.cli.run import perform
    from sim.verify import Request

    request = Request(str(scenario), {}, None, None, tuple(allow))
    outcome, _ = perform(request, request.load())
    page = scenario.with_suffix(".html")
    write_files(outcome, {"html": str(page)})
    click.echo(f"sim: written as a page to {page}", err=True)


def judged(target: Target, verdict: str, violated: Sequence[str], *, interrupted: bool) -> tuple[ExitStatus, bool]:
    """The exit status of an exploration with this verdict and these violated properties, and whether that
    is what the target expects."""
    expect = target.scenario.expect if target.scenario is not None else Expectation()
    same = expect.violation is None or all(prop == expect.violation for prop in violated)
    as_expected = verdict == expect.verdict and same
    if interrupted:
        return ExitStatus.INTERRUPTED, False
    if verdict == "incomplete":
        return ExitStatus.INCOMPLETE, False
    return ExitStatus.AS_EXPECTED if as_expected else ExitStatus.VIOLATED, as_expected


def missed_lines(target: Target, verdict: str, violated: Sequence[str]) -> list[str]:
    """What a scenario expects and an exploration did not come to; nothing for a model, or without an answer."""
    if target.scenario is None or verdict == "incomplete":
        return []
    expect = target.scenario.expect
    if verdict != expect.verdict:
        return [f"MISSED      verdict: expected {expect.verdict}, got {verdict}"]
    others = [prop for prop in violated if expect.violation is not None and prop != expect.violation]
    return [f"MISSED      violation: expected {expect.violation}, got {', '.join(others)}"] if others else []
