"""`sim host`: runs the machines of a model for real."""

from __future__ import annotations

import click

from sim.cli import options
from sim.cli.campaigns import desk
from sim.cli.hosting import Wanted, host_session


@click.command()
@click.argument("target", metavar="TARGET")
@click.option("--config", required=True, metavar="FILE", help="Who plays what: adapters, links, limits (YAML).")
@click.option("--journal", required=True, metavar="FILE|DSN", help="A file of SQLite, or postgresql://...")
@click.option("--follow", is_flag=True, help="Tell each input as it is taken.")
@options.settings
@options.as_json
def command(target: str, config: str, journal: str, follow: bool, settings: tuple[str, ...], as_json: bool) -> int:
    """Host a session of the model TARGET until it is over; if the journal has it, it goes on. Exit status: 0 over, 1 a machine
    went beyond its table or a monitor was violated, 2 bad configuration, 4 a limit was reached, 130 stopped."""
    wanted = Wanted(target, config, journal, options.overrides(settings), follow, as_json)
    with desk(make=True) as at:
        return host_session(at, wanted)
