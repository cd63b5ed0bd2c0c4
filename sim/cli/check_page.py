"""Writes the page of a check: its graph, what it covered of each machine, and the run that it found, if it found one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sim.base import printing
from sim.checker.drawable import covered, drawn_graph
from sim.checker.result import CheckResult
from sim.cli.pages import unwritten
from sim.cli.run import perform
from sim.minimiser.counterexample_file import CounterexampleFile, allowances, file_name
from sim.report.html import Checked, page
from sim.report.outcome import JudgedRun, compare
from sim.report.write import write_report
from sim.run.simulation import Walk
from sim.run.verify import RunRequest
from sim.scenario import Target


def write_check_page(
    target: Target,
    result: CheckResult,
    file: CounterexampleFile | None,
    folder: Path,
    words: Sequence[str],
    *,
    expected: bool,
) -> None:
    """Write it next to the counterexample, which is `file`, or into `folder` if there is none; says so in one line on standard
    error. `words` is what the command said."""
    assert result.graph is not None, "a check has a graph"
    found = result.counterexample
    outcome = _not_begun(target) if file is None else _replayed(file, target)
    checked = Checked(
        title=words[0],
        how=f"model {target.model}, a check",
        verdict=result.verdict,
        expected=expected,
        words=words,
        covered=covered(result.graph),
        graph=drawn_graph(result.graph, None if found is None else found.schedule),
        states=result.states,
        alone=file is None,
    )
    path = (
        folder / Path(file_name(target.model, "check")).with_suffix(".html")
        if file is None
        else Path(file.path).with_suffix(".html")
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    write_report(str(path), page(outcome, checked=checked), "--html")
    printing.err(f"sim: page written to {path}")


def _replayed(file: CounterexampleFile, target: Target) -> JudgedRun:
    request = RunRequest(file.path, {}, None, None, allowances(target.model))
    return perform(request, request.load())[0]


def _not_begun(target: Target) -> JudgedRun:
    """The run in which nothing has happened."""
    scenario = unwritten(target)
    world = scenario.system.world()
    return compare(scenario, Walk(world, world.starts()[0]).run(), "")
