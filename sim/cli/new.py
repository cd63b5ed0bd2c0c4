"""`sim new`: a folder to start from."""

from __future__ import annotations

import click

from sim.base import printing
from sim.cli import options
from sim.scaffold import scaffold


@click.command()
@click.argument("name")
@click.option("--live", is_flag=True, help="Asyncio code with a race, instead of a model.")
@options.as_json
def command(name: str, live: bool, as_json: bool) -> int:
    """Create a folder NAME with a model, a scenario and tests that pass; or with asyncio code, and tests that find its
    race."""
    written = [path.as_posix() for path in scaffold(name, options.working_directory(), live=live)]
    of_model = [f"sim check {name}", "sim run scenarios/lost_answer.yaml"]
    commands = [f"cd {name}", *([f"sim fuzz {name}_live"] if live else of_model), "pytest"]
    if as_json:
        options.print_json({"name": name, "files": written, "next": commands})
    else:
        printing.out(*written, "", "Next:", *(f"    {line}" for line in commands))
    return 0
