"""Keeps counterexamples for the commands that find them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from sim.base import printing
from sim.base.errors import ExitStatus
from sim.fuzzer.discovery import Discovery
from sim.minimiser.counterexample import Counterexample
from sim.minimiser.counterexample_file import CounterexampleFile, allowances, file_name
from sim.scenario import Expectation, Target

if TYPE_CHECKING:
    from sim.conform.conformance import JudgedLog
    from sim.fuzzer.worst import Worst


def keep(
    target: Target, found: Sequence[tuple[Counterexample, str]], folder: Path, *, html: bool = False
) -> list[CounterexampleFile]:
    """Write each counterexample, with how it was found, into `folder`, and beside it, if `html`, what it looks like
    when it is run."""
    files = places(target, [counterexample.property for counterexample, _ in found], folder)
    for file, (counterexample, origin) in zip(files, found, strict=True):
        file.write(target, counterexample, origin)
        if html:
            write_page(file, target)
    return files


def keep_discoveries(
    target: Target, found: Sequence[Discovery], seed: int, folder: Path, *, html: bool = False
) -> list[CounterexampleFile]:
    """Write the counterexample of every discovery of a fuzz with `seed`."""
    return keep(target, [(one.counterexample, one.origin(seed)) for one in found], folder, html=html)


def keep_worst(target: Target, worst: Worst, seed: int, folder: Path, *, html: bool = False) -> CounterexampleFile:
    """Write the worst schedule of a fuzz with `seed`."""
    file = CounterexampleFile.at(str(folder / file_name(target.model, f"worst-{worst.measure}")), target.model)
    file.write(target, worst.discovery.counterexample, worst.discovery.origin(seed), worst.expected)
    if html:
        write_page(file, target)
    return file


def places(target: Target, violated: Sequence[str], folder: Path) -> list[CounterexampleFile]:
    """A file for a counterexample of each of these properties. If its name is taken (by another of its property, or of
    a property whose name differs only in characters that a file name cannot have) it gets a number."""
    taken: dict[str, None] = {}
    for prop in violated:
        names = (file_name(target.model, prop, number) for number in count(1))
        taken[next(name for name in names if name not in taken)] = None
    return [CounterexampleFile.at(str(folder / name), target.model) for name in taken]


def write_page(file: CounterexampleFile, target: Target, log: JudgedLog | None = None) -> None:
    """Run a scenario file that was just written, and write its page next to it, beside the `log` that it explains; says
    so in one line on standard error, because standard output is about what was found."""
    from sim.cli.pages import write_files
    from sim.cli.run import perform
    from sim.run.verify import RunRequest

    request = RunRequest(file.path, {}, None, None, allowances(target.model))
    outcome, _ = perform(request, request.load())
    page = Path(file.path).with_suffix(".html")
    write_files(outcome, {"html": str(page)}, log)
    printing.err(f"sim: page written to {page}")


def judged(target: Target, verdict: str, violated: Sequence[str], *, interrupted: bool) -> tuple[ExitStatus, bool]:
    """The exit status of an exploration with this verdict and these violated properties, and whether the target expects
    them."""
    expect = target.scenario.expect if target.scenario is not None else Expectation()
    same = expect.violation is None or all(prop == expect.violation for prop in violated)
    as_expected = verdict == expect.verdict and same
    if interrupted:
        return ExitStatus.INTERRUPTED, False
    if verdict == "incomplete":
        return ExitStatus.INCOMPLETE, False
    return ExitStatus.AS_EXPECTED if as_expected else ExitStatus.VIOLATED, as_expected


def missed_lines(target: Target, verdict: str, violated: Sequence[str]) -> list[str]:
    """The expectations of a scenario that an exploration missed; empty for a model, or without an answer."""
    if target.scenario is None or verdict == "incomplete":
        return []
    expect = target.scenario.expect
    if verdict != expect.verdict:
        return [f"MISSED      verdict: expected {expect.verdict}, got {verdict}"]
    others = [prop for prop in violated if expect.violation is not None and prop != expect.violation]
    return [f"MISSED      violation: expected {expect.violation}, got {', '.join(others)}"] if others else []
