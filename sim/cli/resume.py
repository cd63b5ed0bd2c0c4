"""`sim resume`: resumes a campaign where it was ended or killed."""

from __future__ import annotations

import sys

import click

from sim.base import printing
from sim.base.errors import ConfigError, ExitStatus
from sim.campaign.sessions import Session, session
from sim.cli import campaigns, options
from sim.cli.campaigns import SessionDesk, carry_on, crew, desk
from sim.cli.sessions import by_branch, listed, of_all, show
from sim.report.campaign import SESSION_HEAD, progress_text, session_data, session_row
from sim.sessions.git import branches
from sim.sessions.picker import resume_picker


@click.command()
@click.argument("number", metavar="[ID]", type=options.Whole(1), required=False)
@by_branch
@of_all
@click.option("--last", is_flag=True, help="Resume the unfinished session with the most recent activity.")
@options.duration
@campaigns.workers
@campaigns.engine
@options.handler_timeout
@options.out
@options.html_beside
@options.as_json
def command(
    number: int | None,
    branch: str | None,
    everything: bool,
    last: bool,
    seconds: float | None,
    workers: int | None,
    engine: str | None,
    out: str,
    html: bool,
    as_json: bool,
) -> int:
    """Resume session ID, or one of the current git branch: picked from a list on a terminal, otherwise listed."""
    if number is not None and (branch is not None or everything or last):
        raise ConfigError(f"session {number} is given; leave out --branch, --all and --last")
    with desk() as at:
        if number is not None:
            chosen = session(at.store, number)
        else:
            found = listed(at, branch, everything)
            if last and found:
                chosen = next((one for one in found if not one.is_finished), found[0])
            elif found and not as_json and all(one is not None and one.isatty() for one in (sys.stdin, sys.stdout)):
                chosen = _pick(at, found)
            else:
                status = show(at, found, branch, as_json)
                if found and not as_json:
                    printing.out("resume one of them: sim resume ID, or sim resume --last")
                return status
        return _resume(at, chosen, crew(engine, workers, seconds, out, html, as_json))


def _resume(at: SessionDesk, chosen: Session, by: campaigns.Crew) -> int:
    plan = chosen.plan
    goes_on = plan.schedules is None and chosen.state == "done" and by.seconds is not None
    if chosen.is_finished and not goes_on:
        more = "" if plan.schedules is not None or chosen.state == "stopped" else "; --for 60s continues it"
        if by.as_json:
            options.print_json({"finished": True, "session": session_data(chosen)})
        else:
            printing.out(
                f"session {chosen.id} is finished ({chosen.state}): {progress_text(chosen)} schedules, "
                f"{chosen.findings} finding{'s' * (chosen.findings != 1)}; sim status {chosen.id} shows them{more}"
            )
        return ExitStatus.AS_EXPECTED
    if by.seconds is None and plan.seconds is not None:
        by = by._replace(seconds=max(0.0, plan.seconds - chosen.seconds))
    return carry_on(at, chosen, chosen.load(), by)


def _pick(at: SessionDesk, found: list[Session]) -> Session:
    """The session that the user picks."""
    now = branches(at.here)
    picked = resume_picker(found, lambda one: session_row(one, now), SESSION_HEAD)
    if picked is None:
        raise KeyboardInterrupt
    return picked
