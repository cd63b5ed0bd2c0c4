"""Keeps counterexamples for the commands that find them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import NamedTuple

from sim.cli import options
from sim.errors import ExitStatus
from sim.explore.counterexample import counterexample_text, file_name
from sim.explore.found import Found, Told, origin
from sim.scenario import Expectation, Target, write_text
from sim.scenario.models import is_bundled, listed_models


class Kept(NamedTuple):
    """A counterexample on disk: its path and the command that replays it."""

    path: str
    replay: str


def keep(target: Target, counterexample: Told, folder: Path, *, origin: Sequence[str] = ()) -> Kept:
    """Write a counterexample into `folder`."""
    kept = _place(target, folder, file_name(target.model, counterexample.violated))
    _write(kept, target, counterexample, origin)
    return kept


def keep_found(target: Target, findings: Sequence[Found], seed: int, folder: Path) -> list[Kept]:
    """Write every finding of a fuzz with `seed` into `folder`."""
    kept = places(target, [found.told.violated for found in findings], folder)
    for found, place in zip(findings, kept, strict=True):
        _write(place, target, found.told, [origin(found, seed)])
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
    allow = () if is_bundled(target.model) or target.model in listed_models()[0] else (target.model,)
    return Kept(path, options.command_line("run", path, allow=allow))


def _write(kept: Kept, target: Target, counterexample: Told, origin: Sequence[str]) -> None:
    header = [*origin, f"Replay it with: {kept.replay}"]
    write_text(kept.path, counterexample_text(target, counterexample, header))


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
