"""`sim move`: makes a move of a hosted session that its model leaves to its environment."""

from __future__ import annotations

import json

import click

from sim.base import printing
from sim.base.errors import ConfigError, ExitStatus, listing, unknown
from sim.campaign.hosted_sessions import HostedEntry, hosted_entry, refuse_foreign
from sim.cli import options
from sim.cli.campaigns import desk
from sim.cli.hosting import journal_of, leave_wish
from sim.scenario import load_target


@click.command()
@click.argument("number", metavar="ID", type=options.Whole(1))
@click.argument("move", metavar="NAME")
def command(number: int, move: str) -> int:
    """Make the move NAME, such as stop or user.stop, in the hosted session ID: at once if it is hosted now, else when it
    is."""
    with desk() as at:
        entry = hosted_entry(at.store, number)
        if entry is None:
            raise ConfigError(f"session {number} is not a hosted one; sim sessions --all lists them")
        refuse_foreign(entry)
        process, name = _meant(entry, move)
        leave_wish(entry, "move", process=process, move=name)
    printing.out(f"session {number}: {process}.{name} is asked for")
    return ExitStatus.AS_EXPECTED


def _meant(entry: HostedEntry, move: str) -> tuple[str, str]:
    """The process and its move that a name means. Raises `ConfigError`."""
    with journal_of(entry) as journal:
        config = journal.sessions()[entry.plan.session][0]
        here = journal.machines(entry.plan.session)
    given = {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}
    processes = load_target(entry.plan.target, given).declaration.processes
    known = [f"{name}.{one}" for name in here if name in processes for one in type(processes[name]).table.may]
    found = [one for one in known if move in (one, one.partition(".")[2])]
    if not found:
        raise ConfigError(f"session {entry.id}: {unknown('move', move, known)}")
    if len(found) > 1:
        raise ConfigError(f"session {entry.id}: {move} may be {listing(found)}; write one of these")
    process, _, name = found[0].partition(".")
    return process, name
