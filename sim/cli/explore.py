"""`sim explore`: a page on which a graph is walked by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from sim.cli import options
from sim.cli.plans import plan_given, say_explored
from sim.run.guided_walk import path_of
from sim.run.of_scenario import strategy_of
from sim.run.simulation import simulate
from sim.scenario import Target, load_target


@click.command()
@click.argument("target")
@options.settings
@click.option("--faults", metavar="SPEC", help="The faults that may strike, instead of the model's, such as drop:1.")
@options.handler_timeout
@options.out_folder("explored", "Where walks are saved as scenarios.")
@options.models
def command(target: str, settings: tuple[str, ...], faults: str | None, out: str, models: tuple[str, ...]) -> int:
    """Walk the graph of TARGET (a scenario file, a model such as models.consensus, or a program) by hand, in a browser: what
    may happen next, apply it, go back, save the walk as a scenario. The page is served on this machine until Ctrl-C. That
    of a scenario file with a schedule begins at its end."""
    from sim.cli.explore_page import serve_explorer

    sets = options.overrides(settings)
    plan = plan_given(faults, sets)
    loaded = load_target(target, sets, faults=plan.text, faults_from=plan.source, allow=models)
    say_explored(plan)
    begun, path = _begun(loaded, replaced=plan.text is not None)
    given = ("--faults", faults) if faults is not None else ()
    again = options.command_line("explore", target, *given, sets=sets, allow=models)
    return serve_explorer(begun, path, Path(out), again)


def _begun(target: Target, *, replaced: bool) -> tuple[Target, list[int]]:
    """Where the walk begins: at the end of a file's schedule, with the faults that it has, unless others are given."""
    scenario = target.scenario
    if scenario is None or scenario.schedule is None or replaced:
        return target, []
    begun = replace(target, system=scenario.system)
    run = simulate(begun.system, strategy_of(scenario), max_steps=scenario.max_steps)
    return begun, path_of(run)
