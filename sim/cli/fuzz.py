"""`sim fuzz`: many schedules of a model by seed, each violation minimised."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import click

from sim.cli import options
from sim.cli.keep import Kept, judged, keep, missed_lines
from sim.cli.plans import plan_given, say_explored
from sim.durations import parse_duration
from sim.errors import ConfigError
from sim.explore.counterexample import file_name
from sim.explore.fuzz import SCHEDULES, FuzzFinding, FuzzResult, Progress, fuzz
from sim.report.data import fuzz_data
from sim.report.fuzz import fuzz_head, fuzz_lines
from sim.scenario import Target, load_target
from sim.scenario.models import settings_of
from sim.simulation import MAX_STEPS
from sim.strategy import STRATEGIES, Portfolio


@click.command()
@click.argument("target")
@options.settings
@click.option("--schedules", type=click.IntRange(1), metavar="N", help=f"How many schedules.  [default: {SCHEDULES}]")
@click.option("--for", "duration", metavar="TIME", help="How long instead, such as 60s or 5min.")
@click.option(
    "--strategy", type=click.Choice(list(STRATEGIES)), default=Portfolio.name, show_default=True, help="What picks."
)
@click.option("--seed", type=click.IntRange(0, 2**64 - 1), default=0, show_default=True, help="Fixes every pick.")
@click.option("--keep-going", is_flag=True, help="Go on after a violation, and group equal ones.")
@options.out
@options.html_beside
@options.models
@options.as_json
def command(
    target: str,
    settings: tuple[str, ...],
    schedules: int | None,
    duration: str | None,
    strategy: str,
    seed: int,
    keep_going: bool,
    out: str,
    html: bool,
    models: tuple[str, ...],
    as_json: bool,
) -> int:
    """Fuzz TARGET (a scenario file, or a model such as models.consensus): schedules by seed."""
    if schedules is not None and duration is not None:
        raise ConfigError("--schedules and --for are both given; give one")
    seconds = None if duration is None else _seconds(duration)
    sets = options.overrides(settings)
    plan = plan_given(None, sets)
    loaded = load_target(target, sets, faults=plan.text, faults_from=plan.source, allow=models)
    say_explored(plan)
    if not as_json:
        click.echo("\n".join(fuzz_head(loaded, settings_of(loaded.model, loaded.config), strategy, seed)))
    with _progress(as_json, schedules) as progress:
        result = fuzz(
            loaded.system,
            schedules=schedules,
            seconds=seconds,
            seed=seed,
            strategy=strategy,
            keep_going=keep_going,
            max_steps=loaded.scenario.max_steps if loaded.scenario else MAX_STEPS,
            progress=progress,
        )
    kept = _keep(loaded, result, Path(out), html)
    violated = [found.property for found in result.found]
    status, as_expected = judged(loaded, result.verdict, violated, interrupted=result.interrupted)
    missed = missed_lines(loaded, result.verdict, violated)
    if as_json:
        options.print_json(fuzz_data(result, loaded.name, kept, as_expected))
    else:
        click.echo("\n".join([*fuzz_lines(result, kept), *missed]))
    return status


def _seconds(text: str) -> float:
    milliseconds = parse_duration(text)
    if milliseconds <= 0:
        raise ConfigError(f"--for {text}: give more than no time, such as 60s")
    return milliseconds / 1000


def _keep(target: Target, result: FuzzResult, folder: Path, html: bool) -> list[Kept]:
    """Writes every counterexample; one whose name is taken (by another of its property, or of a property
    whose name differs only in what a file name cannot hold) gets a number."""
    kept = []
    taken: set[str] = set()
    for found in result.found:
        names = ((number, file_name(target.model, found.property, number)) for number in count(1))
        number, name = next(named for named in names if named[1] not in taken)
        taken.add(name)
        origin = [_origin(found, result)]
        kept.append(keep(target, found.minimised, folder, origin=origin, number=number, html=html))
    return kept


def _origin(found: FuzzFinding, result: FuzzResult) -> str:
    reduced = f"minimised from {found.steps} to {len(found.minimised.actions)} steps"
    how = f"{found.strategy} with seed {found.seed} (schedule {found.number} of seed {result.seed})"
    rest = "" if found.minimised.complete else " Not every edit was tried: there may be a shorter one."
    return f"Found by {how}, {reduced}.{rest}"


@contextmanager
def _progress(quiet: bool, schedules: int | None) -> Iterator[Progress | None]:
    """A bar on a terminal; nothing elsewhere."""
    if quiet or not sys.stderr.isatty() or options.in_ci():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("schedules", total=schedules)

        def show(result: FuzzResult) -> None:
            bar.update(task, completed=result.schedules, description=f"{result.states:,} states")

        yield show
