"""`sim answer`: what a person says to a question of a hosted session."""

from __future__ import annotations

import click

from sim.base import printing
from sim.base.errors import ConfigError, ExitStatus
from sim.campaign.hosted_sessions import hosted_entry
from sim.cli import options
from sim.cli.campaigns import desk
from sim.cli.hosting import leave_wish


@click.command()
@click.argument("number", metavar="ID", type=options.Whole(1))
@click.argument("text", metavar="TEXT")
@click.option("--process", metavar="NAME", help="Who is asked, if several are.")
def command(number: int, text: str, process: str | None) -> int:
    """Answer TEXT to the person who is asked in the hosted session ID; sim status ID shows the question."""
    with desk() as at:
        entry = hosted_entry(at.store, number)
        if entry is None:
            raise ConfigError(f"session {number} is no hosted one; sim sessions --all lists them")
        leave_wish(entry, "answer", text=text, **({} if process is None else {"process": process}))
    printing.out(f"session {number}: answered")
    return ExitStatus.AS_EXPECTED
