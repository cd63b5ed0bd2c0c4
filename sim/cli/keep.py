"""Keeps counterexamples for the commands that find them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import NamedTuple

import click

from sim.base.errors import ExitStatus
from sim.fuzz.counterexample import allowances, counterexample_text, file_name, replay_command
from sim.fuzz.found import Found, Told, origin
from sim.scenario import Expectation, Target, write_text


class Kept(NamedTuple):
    """A counterexample on disk: its path and the command that replays it."""

    path: str
    replay: str


def keep(target: Target, counterexample: Told, folder: Path, *, origin: Sequence[str] = (), html: bool = False) -> Kept:
    """Write a counterexample into `folder`, and beside it, if `html`, what it looks like when it is run."""
    kept = _place(target, folder, file_name(target.model, counterexample.violated))
    write_kept(kept, target, _text(kept, target, counterexample, origin), html=html)
    return kept


def keep_found(target: Target, findings: Sequence[Found], seed: int, folder: Path, *, html: bool = False) -> list[Kept]:
    """Write every finding of a fuzz with `seed` into `folder`, if `html` with a page beside it."""
    kept = places(target, [found.told.violated for found in findings], folder)
    for found, place in zip(findings, kept, strict=True):
        write_kept(place, target, _text(place, target, found.told, [origin(found, seed)]), html=html)
    return kept


def places(target: Target, violated: Sequence[str], folder: Path) -> list[Kept]:
    """A file for a counterexample of each of these properties. One whose name is taken (by another of its
    property, or of a property whose name differs only in what a file name cannot hold) gets a number."""
    taken: dict[str, None] = {}
    for prop in violated:
        names = (file_name(target.model, prop, number) for number in count(1))
        taken[next(name for name in names if name not in taken)] = None
    return [_place(target, folder, name) for name in taken]


def _place(target: Target, folder: Path, name: str) -> Kept:
    path = str(folder / name)
    return Kept(path, replay_command(path, target.model))


def _text(kept: Kept, target: Target, counterexample: Told, origin: Sequence[str]) -> str:
    return counterexample_text(target, counterexample, [*origin, f"Replay it with: {kept.replay}"])


def write_kept(kept: Kept, target: Target, text: str, *, html: bool) -> None:
    """Write the scenario of a counterexample to its place, and if `html` a page beside it."""
    write_text(kept.path, text)
    if html:
        _write_page(Path(kept.path), allowances(target.model))


def _write_page(scenario: Path, allow: Sequence[str]) -> None:
    """Run a scenario file that was just written, and write its page beside it; says so in one line on
    standard error, as what a command prints is about what it found."""
    from sim.cli.pages import write_files
    from sim.cli.run import perform
    from sim.run.verify import RunRequest

    request = RunRequest(str(scenario), {}, None, None, tuple(allow))
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
