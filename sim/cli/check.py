"""`sim check`: every schedule of a model within its bounds."""

from __future__ import annotations

import time
from pathlib import Path

import click

from sim.base import printing
from sim.checker.engine import ENGINES, Engine
from sim.checker.exhaustive import check
from sim.checker.memory import MIB
from sim.checker.result import CheckResult, Progress
from sim.cli import STARTED, options
from sim.cli import journals as journals_
from sim.cli.keep import judged, keep, missed_lines
from sim.cli.plans import plan_given, say_explored
from sim.minimiser.counterexample_file import CounterexampleFile
from sim.report.data import check_data
from sim.report.text import bounds_lines, check_lines
from sim.scenario import Target
from sim.scenario.models import settings_of


@click.command()
@click.argument("target")
@options.settings
@click.option("--max-states", type=options.Whole(1), metavar="N", help="Stop after this many distinct states.")
@click.option(
    "--engine",
    type=options.Named("engine", ENGINES),
    default="auto",
    show_default=True,
    help="auto switches from the plain to the compiled walk when the model turns out to be large.",
)
@click.option("--exact", is_flag=True, help="Compare whole states instead of 64-bit fingerprints.")
@click.option(
    "--max-memory",
    type=options.Whole(1),
    metavar="MIB",
    help="Stop when the process holds this much memory. [default: 80 % of what the machine, the control group and ulimit -v allow]",
)
@click.option(
    "--reduce", is_flag=True, help="Explore fewer states, each of which stands for many; counts are then reduced."
)
@click.option(
    "--cycles",
    type=options.Named("cycles", ("on", "off")),
    default="on",
    show_default=True,
    help="Whether to judge what is owed on runs that never rest.",
)
@journals_.options
@options.stop_after
@options.handler_timeout
@options.out
@options.html_beside
@options.models
@options.as_json
def command(
    target: str,
    settings: tuple[str, ...],
    max_states: int | None,
    engine: Engine,
    exact: bool,
    max_memory: int | None,
    reduce: bool,
    cycles: str,
    journals: tuple[str, ...],
    session: str | None,
    seconds: float | None,
    out: str,
    html: bool,
    models: tuple[str, ...],
    as_json: bool,
) -> int:
    """Check every schedule of TARGET (a scenario file, or a model such as models.consensus)."""
    begins, given = journals_.FromJournals(journals, session), options.overrides(settings)
    sets = begins.configured(target, given)
    plan = plan_given(None, sets)
    loaded = begins.load(target, sets, given, faults=plan.text, faults_from=plan.source, allow=models)
    say_explored(plan)
    bounds = bounds_lines(loaded.name, settings_of(loaded.model, loaded.config), loaded.system)
    if not as_json:
        printing.out(*bounds)
    result = check(
        loaded.system,
        max_states=max_states,
        progress=_progress(as_json),
        engine=engine,
        exact=exact,
        max_memory=max_memory * MIB if max_memory is not None else None,
        reduce=reduce,
        cycles=cycles == "on",
        seconds=seconds,
    )
    path, replay = _keep(loaded, result, Path(out), html) or (None, None)
    violated = [result.finding.property] if result.finding is not None else []
    status, as_expected = judged(loaded, result.verdict, violated, interrupted=result.stopped == "interrupted")
    if as_json:
        data = check_data(result, loaded, path, as_expected)
        options.print_json(
            {**data, "bounds": bounds, "replay": replay, "seconds_total": round(time.perf_counter() - STARTED, 6)}
        )
    else:
        printing.out(*check_lines(result, [], path, replay), *missed_lines(loaded, result.verdict, violated))
    return status


def _keep(target: Target, result: CheckResult, folder: Path, html: bool) -> CounterexampleFile | None:
    """Writes the counterexample; there is none for a `sometimes` that never held."""
    found = result.counterexample
    if found is None:
        return None
    origin = "A shortest counterexample." if found.complete else "A counterexample of a reduced check."
    (file,) = keep(target, [(found, origin)], folder, html=html)
    return file


def _progress(quiet: bool) -> Progress | None:
    """A counting line on a terminal; otherwise nothing."""
    if quiet or not options.is_watched():
        return None

    def show(result: CheckResult) -> None:
        printing.progress(f"{result.states:,} states, depth {result.depth} ")

    return show
