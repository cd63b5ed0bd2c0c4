"""`sim check`: every schedule of a model within its bounds."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path

import click

from sim.cli import STARTED, options
from sim.errors import ExitStatus
from sim.explore.check import CheckResult, Progress, check
from sim.graph import Graph
from sim.report.data import check_data
from sim.report.text import bounds_lines, check_lines
from sim.scenario import Expectation, Target, load_target, write_scenario
from sim.scenario.models import is_bundled, listed_models, settings_of


@click.command()
@click.argument("target")
@options.settings
@click.option("--max-states", type=click.IntRange(1), metavar="N", help="Give up behind this many distinct states.")
@click.option("--out", default="counterexamples", show_default=True, metavar="DIR", help="Where a counterexample goes.")
@options.models
@options.as_json
def command(
    target: str, settings: tuple[str, ...], max_states: int | None, out: str, models: tuple[str, ...], as_json: bool
) -> int:
    """Check every schedule of TARGET (a scenario file, or a model such as models.consensus)."""
    loaded = load_target(target, options.overrides(settings), allow=models)
    bounds = bounds_lines(loaded.name, settings_of(loaded.model, loaded.config), Graph(loaded.system))
    if not as_json:
        click.echo("\n".join(bounds))
    result = check(loaded.system, max_states=max_states, progress=_progress(as_json))
    path = replay = None
    if result.finding is not None:
        path, replay = _keep(loaded, result, Path(out))
    status, as_expected = _status(loaded, result)
    if as_json:
        data = check_data(result, loaded.name, path, as_expected)
        options.print_json(
            {**data, "bounds": bounds, "replay": replay, "seconds_total": round(time.perf_counter() - STARTED, 6)}
        )
    else:
        click.echo("\n".join(check_lines(result, [], path, replay)))
    return status


def _status(target: Target, result: CheckResult) -> tuple[ExitStatus, bool]:
    if result.stopped == "interrupted":
        return ExitStatus.INTERRUPTED, False
    if result.verdict == "incomplete":
        return ExitStatus.INCOMPLETE, False
    expect = target.scenario.expect if target.scenario is not None else Expectation()
    found = result.finding.property if result.finding is not None else None
    same = expect.violation is None or found in (None, expect.violation)
    as_expected = result.verdict == expect.verdict and same
    return ExitStatus.AS_EXPECTED if as_expected else ExitStatus.VIOLATED, as_expected


def _keep(target: Target, result: CheckResult, folder: Path) -> tuple[str | None, str | None]:
    """Writes the counterexample as a scenario; returns its path and the command that replays it."""
    finding = result.finding
    assert finding is not None
    if result.begin is None:
        return None, None  # a `sometimes` that never held has no schedule
    name = re.sub(r"[^\w.-]+", "-", f"{target.model}-{finding.property}").strip("-").lower()
    path = folder / f"{name}.yaml"
    allow = () if is_bundled(target.model) or target.model in listed_models()[0] else (target.model,)
    replay = options.command_line("run", str(path), allow=allow)
    start = [str(result.begin.address)] if result.begin.choices else []
    write_scenario(
        path,
        model=target.model,
        config=target.config,
        network=target.system.network,
        schedule=[*start, *(str(action.address) for action in result.path)],
        expect=Expectation("violated", finding.property),
        header=[f"{finding.property}: {finding.message}", f"A shortest counterexample; replay it with: {replay}"],
    )
    return str(path), replay


def _progress(quiet: bool) -> Progress | None:
    """A line on a terminal that counts; nothing elsewhere."""
    if quiet or not sys.stderr.isatty() or options.in_ci():
        return None

    def show(result: CheckResult) -> None:
        click.echo(f"\r{result.states:,} states, depth {result.depth} ", err=True, nl=False)

    return show
