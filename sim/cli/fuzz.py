"""`sim fuzz`: many schedules of a model by seed, each violation minimised.

With `--workers` or `--engine` it is a campaign: distributed, and kept as a session that can be resumed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from sim.base import printing
from sim.base.errors import ConfigError
from sim.campaign.campaign_plan import CampaignPlan, beginning_text, chunk_size
from sim.campaign.sessions import begin
from sim.cli import campaigns, options
from sim.cli import journals as journals_
from sim.cli.keep import judged, keep_discoveries, keep_worst, missed_lines
from sim.cli.plans import plan_given, say_explored
from sim.fuzzer.fuzz import SCHEDULES, FuzzResult, Progress, fuzz
from sim.fuzzer.worst import MEASURES
from sim.report.data import fuzz_data
from sim.report.fuzzed import fuzz_head, fuzz_lines, worst_lines
from sim.run.simulation import MAX_STEPS
from sim.scenario import Target
from sim.scenario.models import settings_of
from sim.strategy import STRATEGIES, Portfolio


@click.command()
@click.argument("target")
@options.settings
@click.option("--schedules", type=options.Whole(1), metavar="N", help=f"How many schedules.  [default: {SCHEDULES}]")
@options.duration
@click.option(
    "--strategy",
    type=options.Named("strategy", STRATEGIES),
    default=Portfolio.name,
    show_default=True,
    help="The strategy that picks.",
)
@click.option("--seed", type=options.Whole(0, 2**64 - 1), default=0, show_default=True, help="Fixes every pick.")
@click.option("--keep-going", is_flag=True, help="Continue after a violation, and group equal ones.")
@journals_.options
@campaigns.workers
@campaigns.engine
@click.option("--chunk", type=options.Whole(1), metavar="N", help="Schedules that a worker takes at a time.")
@click.option(
    "--worst",
    type=options.Named("measure", MEASURES),
    help="Also keep the schedule that comes to most: cost (USD), latency (of programs) or tokens.",
)
@options.handler_timeout
@options.out
@options.html_beside
@options.models
@options.as_json
def command(
    target: str,
    settings: tuple[str, ...],
    schedules: int | None,
    seconds: float | None,
    strategy: str,
    seed: int,
    keep_going: bool,
    journals: tuple[str, ...],
    session: str | None,
    workers: int | None,
    engine: str | None,
    chunk: int | None,
    worst: str | None,
    out: str,
    html: bool,
    models: tuple[str, ...],
    as_json: bool,
) -> int:
    """Fuzz TARGET (a scenario file, or a model such as models.consensus): schedules by seed.

    With --workers or --engine it is a campaign: several processes share the work, and it is kept, so that `sim resume`
    can resume it after an interrupt or a kill.
    """
    if schedules is not None and seconds is not None:
        raise ConfigError("--schedules and --for are both given; give one")
    is_campaign = workers is not None or engine is not None
    if chunk is not None and not is_campaign:
        raise ConfigError("--chunk requires a campaign; add --workers")
    if worst is not None and is_campaign:
        raise ConfigError("--worst is kept by a fuzz of one process; leave out --workers and --engine")
    begins, given = journals_.FromJournals(journals, session), options.overrides(settings)
    sets = begins.configured(target, given)
    faults = plan_given(None, sets)
    loaded = begins.load(target, sets, given, faults=faults.text, faults_from=faults.source, allow=models)
    say_explored(faults)
    max_steps = loaded.scenario.max_steps if loaded.scenario else MAX_STEPS
    if is_campaign:
        options.storable(target)
        plan = CampaignPlan(
            target=target,
            model=loaded.model,
            text=None if loaded.scenario is None else Path(target).read_text("utf-8"),
            overrides=tuple(sets.items()),
            faults=faults.text,
            faults_from=faults.source,
            allow=models,
            seed=seed,
            strategy=strategy,
            schedules=SCHEDULES if schedules is None and seconds is None else schedules,
            seconds=seconds,
            keep_going=keep_going,
            chunk=chunk or chunk_size(schedules, loaded.system),
            max_steps=max_steps,
            begins=beginning_text(loaded.declaration) if begins else None,
        )
        by = campaigns.crew(engine, workers, seconds, out, html, as_json)
        with campaigns.desk(make=True) as at:
            campaign = begin(at.store, at.project, plan, loaded, at.place)
            return campaigns.carry_on(at, campaign, loaded, by)
    if not as_json:
        printing.out(*fuzz_head(loaded, settings_of(loaded.model, loaded.config), strategy, seed))
    with _progress(as_json, schedules) as progress:
        result = fuzz(
            loaded.system,
            schedules=schedules,
            seconds=seconds,
            seed=seed,
            strategy=strategy,
            keep_going=keep_going,
            max_steps=max_steps,
            progress=progress,
            worst=worst,
            metrics=loaded.scenario.metrics if loaded.scenario else None,
        )
    return _report(result, loaded, out, html, as_json)


def _report(result: FuzzResult, target: Target, out: str, html: bool, as_json: bool) -> int:
    kept = keep_discoveries(target, result.found, result.seed, Path(out), html=html)
    worst = None
    if result.worst is not None:
        worst = result.worst, keep_worst(target, result.worst, result.seed, Path(out), html=html)
    violated = [found.property for found in result.found]
    status, as_expected = judged(target, result.verdict, violated, interrupted=result.interrupted)
    if as_json:
        options.print_json(fuzz_data(result, target, kept, as_expected, worst))
    else:
        printing.out(
            *fuzz_lines(result, kept),
            *(worst_lines(*worst) if worst else ()),
            *missed_lines(target, result.verdict, violated),
        )
    return status


@contextmanager
def _progress(quiet: bool, schedules: int | None) -> Iterator[Progress | None]:
    """A bar on a terminal; otherwise nothing."""
    if quiet or not options.is_watched():
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
