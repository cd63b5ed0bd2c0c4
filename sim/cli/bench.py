"""`sim bench`: what things cost, as ratios of two measurements in one run."""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable
from typing import Any

import click

from sim.base import printing
from sim.base.errors import ConfigError, ExitStatus
from sim.base.files import unplain
from sim.base.folded import folded
from sim.cli import CommandGroup, options
from sim.cli.terminal import width_of_output
from sim.metrics.of_run import RunMetrics
from sim.metrics.overhead import Ratio, measure, ratio_of, spent
from sim.report.costs import is_above, plot, sentence, table
from sim.report.data import run_data
from sim.report.outcome import compare
from sim.report.write import write_report
from sim.run.metering import meter
from sim.run.of_scenario import simulate_scenario
from sim.run.trace import Run
from sim.scenario import Scenario, parse_scenario

SCENARIO = """\
model: models.consensus
description: three agents over %(rounds)s rounds, one of which is asked again and again
config: {agents: 3, rounds: %(rounds)s, stop: false}
faults: agent_timeout:3@claude,duplicate:2
seed: 7
"""
ROUNDS = 8
"""Of the scenario on which the limit is judged."""
OTHER_ROUNDS = (1, 2, 4)
"""Of those that a plot also shows."""
LIMIT_PERCENT = 2.0
SECONDS = 7.0
"""For how long the scenario is run, if nobody says how often; each other one a quarter of it."""
RUNS_MAX = 1_000


@click.group(cls=CommandGroup)
def command() -> None:
    """Measure what things cost."""


@command.command()
@click.option("--rounds", type=options.Whole(1), default=200, show_default=True, help="Pairs of `record_turn` loops.")
@click.option(
    "--runs", type=options.Whole(1), help="Pairs of whole scenarios; as many as fit in 7 s if it is not given."
)
@click.option(
    "--turns", type=options.Whole(1000), default=1_000_000, show_default=True, help="Turns of the large session."
)
@click.option(
    "--limit",
    type=click.FloatRange(min=0.0),
    default=LIMIT_PERCENT,
    show_default=True,
    metavar="PERCENT",
    help="What metrics may cost of a run; status 1 if they surely cost more.",
)
@click.option("--svg", type=click.Path(), metavar="FILE", help="Also draw the overhead by the turns of a run.")
@options.as_json
def metrics(rounds: int, runs: int | None, turns: int, limit: float, svg: str | None, as_json: bool) -> int:
    """What counting tokens costs: a scenario with and without metrics, record_turn against the additions it must do,
    the memory of many turns against few. Medians, each with the interval in which 95 % of what else could have been
    measured lie; status 1 if the whole interval of the scenario is above the limit."""
    if svg is not None and (mistake := unplain(svg)):
        raise ConfigError(f"--svg {mistake}")
    share = limit / 100
    sizes = (ROUNDS, *(OTHER_ROUNDS if svg is not None else ()))
    with options.counting("sizes measured", len(sizes), quiet=as_json) as show:
        run = _cost(ROUNDS, runs, SECONDS)
        show(1)
        found = measure(time.process_time_ns, rounds=rounds, turns_many=turns, run=run)
        interval = run.interval
        points = [(_turns(ROUNDS), interval)]
        for done, size in enumerate(sizes[1:], 2):
            points.append((_turns(size), _cost(size, runs, SECONDS / 4).interval))
            show(done)
    described = _described()
    if svg is not None:
        write_report(svg, plot(sorted(points), share), "--svg")
    if as_json:
        kept = {"limit": share, "kept": not is_above(interval, share)}
        options.print_json({**found.as_dict(), **kept, "run": described})
    else:
        lines = [sentence(found, share), "", *table(found, described)]
        width = width_of_output()
        printing.out(*(part for line in lines for part in folded(line, width, 4)))
        if svg is not None:
            printing.out("", f"written to {svg}")
    return ExitStatus.VIOLATED if is_above(interval, share) else ExitStatus.AS_EXPECTED


def _for(seconds: float | None) -> Callable[[], bool]:
    """Whether so much time has gone by since the first time that this was asked."""
    began: list[float] = []

    def enough() -> bool:
        if not began:
            began.append(time.perf_counter())
        return seconds is not None and time.perf_counter() - began[0] >= seconds

    return enough


def _cost(rounds: int, runs: int | None, seconds: float) -> Ratio:
    """What metrics cost of a scenario of so many rounds: of so many runs of it, or of as many as fit."""
    enough = _for(seconds if runs is None else None)
    return ratio_of(lambda _: run_pair(rounds), rounds=runs or RUNS_MAX, enough=enough)


def run_pair(rounds: int = ROUNDS) -> tuple[int, int]:
    """CPU nanoseconds of all that `sim run --json` does with a scenario, except printing, without metrics and with: it
    is read, run with empty tables, judged, digested, and its data written.

    One run serves both: without metrics first, then it is metered, and its data written with what was found; less the
    writing without, which both have. What a machine gains or loses from one run to the next, which is far more, is then
    in neither.
    """
    clock = time.process_time_ns  # of this process: the machine's other load does not count
    gc.collect()
    begins = clock()
    scenario = parse_scenario(SCENARIO % {"rounds": rounds}, "bench.yaml")
    run = simulate_scenario(scenario)
    _written(scenario, run, None)
    ends = clock()
    _written(scenario, run, meter(run.trace, scenario.metrics))
    more = clock() - ends - spent(lambda: _written(scenario, run, None), clock)
    base = max(1, ends - begins)
    return base, max(1, base + more)


def _written(scenario: Scenario, run: Run, found: RunMetrics | None) -> str:
    return json.dumps(run_data(compare(scenario, run, "", metrics=found)))


def _turns(rounds: int) -> int:
    """How many turns a scenario of so many rounds has."""
    turns: int = _run_data(rounds)["metrics"]["turn_count"]
    return turns


def _run_data(rounds: int) -> dict[str, Any]:
    scenario = parse_scenario(SCENARIO % {"rounds": rounds}, "bench.yaml")
    run = simulate_scenario(scenario)
    data: dict[str, Any] = json.loads(_written(scenario, run, meter(run.trace, scenario.metrics)))
    return data


def _described() -> dict[str, object]:
    """What `ratio_run` was measured on."""
    data = _run_data(ROUNDS)
    parts = {key: data[key] for key in ("model", "strategy", "seed", "steps", "digest", "verdict")}
    return {**parts, "turns": data["metrics"]["turn_count"], "scenario": SCENARIO % {"rounds": ROUNDS}}
