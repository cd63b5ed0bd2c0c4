"""`sim check`: every schedule of a model within its bounds."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

import click

from sim.base import printing
from sim.base.errors import ConfigError, ExitStatus, NondeterminismError
from sim.checker.bounded import DEVIATIONS, OF_PROGRAMS, refuse_for_schedules
from sim.checker.bounded_result import BoundedResult
from sim.checker.engine import ENGINES, Engine
from sim.checker.exhaustive import check
from sim.checker.memory import MIB
from sim.checker.result import CheckResult
from sim.cli import STARTED, options
from sim.cli import journals as journals_
from sim.cli.keep import judged, keep, missed_lines, write_page
from sim.cli.plans import plan_given, say_explored
from sim.minimiser.counterexample_file import CounterexampleFile
from sim.report.data import check_data
from sim.report.deviating import bounded_data, bounded_lines
from sim.report.text import bounds_lines, check_lines
from sim.scenario import Target
from sim.scenario.models import settings_of
from sim.system.declaration import Declaration


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
    help="Whether to judge what is owed on runs that never rest. [default: on]",
)
@click.option(
    "--deviations",
    type=options.Whole(0),
    metavar="K",
    help="Of a program: the most choices in a schedule that are not the usual one. [default: 2]",
)
@journals_.options
@options.stop_after
@options.handler_timeout
@options.out
@click.option(
    "--html", "html", is_flag=True, help="Also write the check as a page: its graph, what it covered, what it found."
)
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
    cycles: str | None,
    deviations: int | None,
    journals: tuple[str, ...],
    session: str | None,
    seconds: float | None,
    out: str,
    html: bool,
    models: tuple[str, ...],
    as_json: bool,
) -> int:
    """Check every schedule of TARGET (a scenario file, a model such as models.consensus, or a program)."""
    begins, given = journals_.FromJournals(journals, session), options.overrides(settings)
    sets = begins.configured(target, given)
    plan = plan_given(None, sets)
    loaded = begins.load(target, sets, given, faults=plan.text, faults_from=plan.source, allow=models)
    say_explored(plan)
    given_options = {
        "--max-states": max_states,
        "--engine compiled": engine == "compiled",
        "--exact": exact,
        "--reduce": reduce,
        "--cycles": cycles,
    }
    most = _deviations_of(loaded, deviations, given_options)
    bounds = bounds_lines(loaded.name, settings_of(loaded.model, loaded.config), loaded.system, most)
    if not as_json:
        printing.out(*bounds)
    try:
        result: CheckResult | BoundedResult = check(
            loaded.system,
            max_states=max_states,
            progress=_progress(as_json),
            engine=engine,
            exact=exact,
            max_memory=max_memory * MIB if max_memory is not None else None,
            reduce=reduce,
            cycles=cycles != "off",
            seconds=seconds,
            deviations=most,
        )
    except NondeterminismError as error:
        printing.err(*(f"sim: {mistake}" for mistake in error.mistakes))
        return ExitStatus.NONDETERMINISM
    kept = _keep(loaded, result, Path(out))
    path, replay = kept or (None, None)
    violated = [result.finding.property] if result.finding is not None else []
    status, as_expected = judged(loaded, result.verdict, violated, interrupted=result.stopped == "interrupted")
    if as_json:
        tell = bounded_data if isinstance(result, BoundedResult) else check_data
        data = tell(result, loaded, path, as_expected)  # type: ignore[arg-type]
        options.print_json(
            {**data, "bounds": bounds, "replay": replay, "seconds_total": round(time.perf_counter() - STARTED, 6)}
        )
    else:
        if isinstance(result, BoundedResult):
            lines = bounded_lines(result, path, replay)
        else:
            lines = check_lines(result, [], path, replay)
        printing.out(*lines, *missed_lines(loaded, result.verdict, violated))
    if html:
        _write_page(loaded, result, kept, Path(out), bounds, as_expected=as_expected)
    return status


def _deviations_of(target: Target, deviations: int | None, given: Mapping[str, object]) -> int | None:
    """The bound of a program; None of a model. Raises `ConfigError` for an option that does not apply to the target."""
    if isinstance(target.system, Declaration):
        if deviations is not None:
            raise ConfigError(f"--{OF_PROGRAMS}")
        return None
    refuse_for_schedules(given)
    return DEVIATIONS if deviations is None else deviations


def _write_page(
    target: Target,
    result: CheckResult | BoundedResult,
    kept: CounterexampleFile | None,
    folder: Path,
    bounds: list[str],
    *,
    as_expected: bool,
) -> None:
    """The page of a check; of a program, which has no graph of states, that of its counterexample."""
    if isinstance(result, BoundedResult):
        if kept is None:
            printing.err("sim: a check of a program is a page only where it found something; none was written")
        else:
            write_page(kept, target)
        return
    from sim.cli.check_page import write_check_page

    path, replay = kept or (None, None)
    words = [*bounds, *check_lines(result, [], path, replay)]
    write_check_page(target, result, kept, folder, words, expected=as_expected)


def _keep(target: Target, result: CheckResult | BoundedResult, folder: Path) -> CounterexampleFile | None:
    """Writes the counterexample; there is none for a `sometimes` that never held."""
    found = result.counterexample
    if found is None:
        return None
    if isinstance(result, BoundedResult):
        origin = "A counterexample with as few deviations as any."
    else:
        origin = "A shortest counterexample." if found.complete else "A counterexample of a reduced check."
    (file,) = keep(target, [(found, origin)], folder)
    return file


def _progress(quiet: bool) -> Callable[[CheckResult | BoundedResult], None] | None:
    """A counting line on a terminal; otherwise nothing."""
    if quiet or not options.is_watched():
        return None

    def show(result: CheckResult | BoundedResult) -> None:
        if isinstance(result, BoundedResult):
            printing.progress(f"{result.schedules:,} schedules, {result.now} deviations ")
        else:
            printing.progress(f"{result.states:,} states, depth {result.depth} ")

    return show
