"""`sim answer`: what a person says to a question of a hosted session."""

from __future__ import annotations

import click

from sim.base import printing
from sim.base.errors import ConfigError, ExitStatus, listing, unknown
from sim.campaign.hosted_sessions import hosted_entry, refuse_foreign
from sim.cli import options
from sim.cli.campaigns import desk
from sim.cli.hosting import journal_of
from sim.host.person import mail_of, waiting_in


@click.command()
@click.argument("number", metavar="ID", type=options.Whole(1))
@click.argument("text", metavar="TEXT")
@click.option("--question", metavar="ID", help="Which question, if several wait.")
def command(number: int, text: str, question: str | None) -> int:
    """Answer TEXT to the question that waits in the hosted session ID; sim status ID shows it."""
    with desk() as at:
        entry = hosted_entry(at.store, number)
        if entry is None:
            raise ConfigError(f"session {number} is not a hosted one; sim sessions --all lists them")
        refuse_foreign(entry)
        with journal_of(entry) as journal:
            waiting = waiting_in(journal, entry.plan.session)
            found = [one for one in waiting if question in (None, one.id)]
            if not found:
                which = (
                    "no question waits" if question is None else unknown("question", question, [w.id for w in waiting])
                )
                raise ConfigError(f"session {number}: {which}")
            if len(found) > 1:
                raise ConfigError(
                    f"session {number}: {len(found)} questions wait; write --question {listing([w.id for w in found])}"
                )
            (one,) = found
            if one.answers and text not in one.answers:
                raise ConfigError(f"session {number}: {text!r} is not an answer; expected {listing(one.answers)}")
            journal.wish(entry.plan.session, "answer", mail=mail_of(one.id), text=text)
    printing.out(f"session {number}: {one.process} answers {one.message}: {text}")
    return ExitStatus.AS_EXPECTED
