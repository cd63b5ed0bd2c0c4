"""`sim bench`: what things cost, as ratios of two measurements in one run."""

from __future__ import annotations

import gc
import json
import time

import click

from sim.base import printing
from sim.cli import CommandGroup, options
from sim.metrics.overhead import measure
from sim.report.data import run_data
from sim.report.outcome import compare
from sim.run.metering import meter
from sim.run.of_scenario import simulate_scenario
from sim.scenario import parse_scenario

SCENARIO = """\
model: models.consensus
description: three agents over eight rounds, one of which is asked again and again
config: {agents: 3, rounds: 8, stop: false}
faults: agent_timeout:3@claude,duplicate:2
seed: 7
"""


@click.group(cls=CommandGroup)
def command() -> None:
    """Measure what things cost."""


@command.command()
@click.option("--rounds", type=options.Whole(1), default=200, show_default=True, help="Pairs of `record_turn` loops.")
@click.option("--runs", type=options.Whole(1), default=200, show_default=True, help="Pairs of whole scenarios.")
@click.option(
    "--turns", type=options.Whole(1000), default=10_000_000, show_default=True, help="Turns of the large session."
)
@options.as_json
def metrics(rounds: int, runs: int, turns: int, as_json: bool) -> int:
    """What counting tokens costs: a scenario with and without metrics, record_turn against the additions it must do,
    the memory of many turns against few."""
    data = {
        **measure(
            time.process_time_ns,  # of this process: the machine's other load does not count
            rounds=rounds,
            turns_many=turns,
            run_on=lambda: whole_run(measured=True),
            run_off=lambda: whole_run(measured=False),
            run_rounds=runs,
            settle=gc.collect,
        ),
        "run": _described(),
    }
    if as_json:
        options.print_json(data)
    else:
        for key, value in data.items():
            printing.out(f"{key:<32}{json.dumps(value)}")
    return 0


def whole_run(*, measured: bool) -> str:
    """All that `sim run --json` does with a scenario, except printing: read it, run it with empty tables, judge it,
    digest it, and write its data, with metrics or without."""
    scenario = parse_scenario(SCENARIO, "bench.yaml")
    run = simulate_scenario(scenario)
    found = meter(run.trace, scenario.metrics) if measured else None
    return json.dumps(run_data(compare(scenario, run, "", metrics=found)))


def _described() -> dict[str, object]:
    """What `ratio_run` was measured on."""
    data = json.loads(whole_run(measured=True))
    parts = {key: data[key] for key in ("model", "strategy", "seed", "steps", "digest", "verdict")}
    return {**parts, "turns": data["metrics"]["turn_count"], "scenario": SCENARIO}
