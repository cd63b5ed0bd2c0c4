"""`sim draw`: the machines of a model, drawn from their tables."""

from __future__ import annotations

from dataclasses import replace

import click

from sim.base import printing
from sim.base.errors import ConfigError, unknown
from sim.cli import options
from sim.machine.diagrams import diagrams
from sim.report.draw import Sketch, mermaid, sketches, svg
from sim.report.draw.exported import machines_data
from sim.report.write import write_report
from sim.scenario import load_target

FORMATS = ("mermaid", "svg")


@click.command()
@click.argument("target", metavar="MODEL")
@options.settings
@click.option(
    "--format", "form", type=options.Named("format", FORMATS), default=None, help="Output format; mermaid by default."
)
@click.option("--only", multiple=True, metavar="NAME", help="Draw this process or monitor; may be repeated.")
@click.option("--out", metavar="FILE", help="Write to this file instead of standard output.")
@options.models
@options.as_json
def command(
    target: str,
    settings: tuple[str, ...],
    form: str | None,
    only: tuple[str, ...],
    out: str | None,
    models: tuple[str, ...],
    as_json: bool,
) -> int:
    """Draw the machines of MODEL (such as models.consensus, or a scenario file): every state and row, once for
    each class."""
    if as_json and form is not None:
        raise ConfigError(f"--json and --format {form} are both given; give one")
    loaded = load_target(target, options.overrides(settings), allow=models)
    if not (loaded.system.processes or loaded.system.monitors):
        raise ConfigError(f"{loaded.name}: is a program without monitors, so there is no machine to draw; name a model")
    chosen = _chosen(sketches(diagrams({**loaded.system.processes, **loaded.system.monitors})), only)
    if as_json:
        options.print_json(machines_data(loaded.name, chosen))
        return 0
    text = svg(chosen) if form == "svg" else mermaid(chosen)
    if out is None:
        printing.document(text)
    else:
        write_report(out, text + "\n", "--out")
    return 0


def _chosen(found: list[Sketch], only: tuple[str, ...]) -> list[Sketch]:
    known = [name for sketch in found for name in sketch.names]
    mistakes = [f"--only: {unknown('process or monitor', name, known)}" for name in only if name not in known]
    if mistakes:
        raise ConfigError(*mistakes)
    if not only:
        return found
    named = [replace(sketch, names=tuple(name for name in sketch.names if name in only)) for sketch in found]
    return [sketch for sketch in named if sketch.names]
