"""`sim draw`: the machines of a model, drawn from their tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import click

from sim.base import printing
from sim.base.errors import ConfigError, unknown
from sim.cli import options
from sim.machine.diagrams import diagrams
from sim.report.draw import mermaid, sketches, svg
from sim.report.draw.exported import machines_data
from sim.report.write import write_report
from sim.scenario import load_target
from sim.world.diagram import Diagram

FORMATS = ("mermaid", "svg")


@click.command()
@click.argument("target", metavar="MODEL")
@options.settings
@click.option(
    "--format", "form", type=options.Named("format", FORMATS), default=None, help="Output format; mermaid by default."
)
@click.option("--only", multiple=True, metavar="NAME", help="Draw this process or monitor; may be repeated.")
@click.option(
    "--state",
    "states",
    multiple=True,
    metavar="NAME",
    help="Draw this state with its neighbours alone; may be repeated.",
)
@click.option("--rows", is_flag=True, help="Write every row by itself, with its guards; so it is with --state anyway.")
@click.option("--sequence", "run", is_flag=True, help="Draw the run of a scenario file instead: who sent what to whom.")
@click.option("--out", metavar="FILE", help="Write to this file instead of standard output.")
@options.models
@options.as_json
def command(
    target: str,
    settings: tuple[str, ...],
    form: str | None,
    only: tuple[str, ...],
    states: tuple[str, ...],
    rows: bool,
    run: bool,
    out: str | None,
    models: tuple[str, ...],
    as_json: bool,
) -> int:
    """Draw the machines of MODEL (such as models.consensus, or a scenario file), once for each class: every state, and what
    leads from one to another. With --sequence, draw the run of a scenario file."""
    if as_json and form is not None:
        raise ConfigError(f"--json and --format {form} are both given; give one")
    if run:
        for option, given in {"--json": as_json, "--only": only, "--state": states, "--rows": rows}.items():
            if given:
                raise ConfigError(f"{option} is about machines, and --sequence draws a run; leave one out")
        _put(_run_drawn(target, settings, models, form), out)
        return 0
    loaded = load_target(target, options.overrides(settings), allow=models)
    if not (loaded.system.processes or loaded.system.monitors):
        raise ConfigError(f"{loaded.name}: is a program without monitors, so there is no machine to draw; name a model")
    found = _chosen(diagrams({**loaded.system.processes, **loaded.system.monitors}), only)
    _refuse_unknown("state", states, [state for diagram in found for state in diagram.states])
    chosen = sketches(found, folded=not (rows or states), states=states)
    if as_json:
        options.print_json(machines_data(loaded.name, chosen))
        return 0
    _put(svg(chosen) if form == "svg" else mermaid(chosen), out)
    return 0


def _put(text: str, out: str | None) -> None:
    if out is None:
        printing.document(text)
    else:
        write_report(out, text + "\n", "--out")


def _run_drawn(path: str, settings: Sequence[str], models: tuple[str, ...], form: str | None) -> str:
    """The run of a scenario file; of a model there are many."""
    from sim.cli.run import perform
    from sim.report.draw.space_time import sequence
    from sim.report.export import exported
    from sim.run.verify import RunRequest
    from sim.scenario.target import is_model_name

    if is_model_name(path):
        raise ConfigError(f"{path}: --sequence draws the run of a scenario file, such as {path}.yaml; name one")
    request = RunRequest(path, options.overrides(settings), None, None, models)
    outcome, _ = perform(request, request.load())
    if form != "svg":
        return exported(outcome, "mermaid").rstrip()
    title = " ".join(outcome.scenario.description.split()) or f"$ {outcome.replay}"
    return sequence(outcome.story, title, outcome.run.finding)


def _chosen(found: Sequence[Diagram], only: Sequence[str]) -> list[Diagram]:
    _refuse_unknown("only", only, [name for diagram in found for name in diagram.actors], "process or monitor")
    if not only:
        return [*found]
    named = [replace(diagram, actors=tuple(name for name in diagram.actors if name in only)) for diagram in found]
    return [diagram for diagram in named if diagram.actors]


def _refuse_unknown(option: str, given: Sequence[str], known: Sequence[str], kind: str = "") -> None:
    mistakes = [
        f"--{option}: {unknown(kind or option, name, [*dict.fromkeys(known)])}" for name in given if name not in known
    ]
    if mistakes:
        raise ConfigError(*mistakes)
