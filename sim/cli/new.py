"""`sim new`: a folder to start from."""

from __future__ import annotations

import click

from sim.base import printing
from sim.cli import options
from sim.scaffold import scaffold


@click.command()
@click.argument("name")
@options.as_json
def command(name: str, as_json: bool) -> int:
    """Create a folder NAME with a model, a scenario and tests that pass."""
    written = [path.as_posix() for path in scaffold(name, options.working_directory())]
    commands = [f"cd {name}", f"sim check {name}", "sim run scenarios/lost_answer.yaml", "pytest"]
    if as_json:
        options.print_json({"name": name, "files": written, "next": commands})
    else:
        printing.out(*written, "", "Next:", *(f"    {line}" for line in commands))
    return 0
