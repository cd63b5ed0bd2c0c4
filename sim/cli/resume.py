"""`sim resume`: resumes a campaign or a hosted session where it was ended or killed."""

from __future__ import annotations

from pathlib import Path

import click

from sim.base import printing
from sim.base.errors import ConfigError, ExitStatus
from sim.campaign.hosted_sessions import HostedEntry, HostedPlan, hosted_entry
from sim.campaign.sessions import Session, session
from sim.cli import campaigns, options
from sim.cli.campaigns import SessionDesk, carry_on, crew, desk
from sim.cli.hosting import resume_hosted
from sim.cli.sessions import by_branch, hosted, listed, of_all, show
from sim.cli.terminal import can_redraw
from sim.report.campaign import progress_text, session_data
from sim.sessions.columns import age, branch_text
from sim.sessions.git import branches
from sim.sessions.picker import can_pick, resume_picker


@click.command()
@click.argument("number", metavar="[ID]", type=options.Whole(1), required=False)
@by_branch
@of_all
@click.option(
    "--config", metavar="FILE", help="Of a hosted session: this configuration instead of the one it began with."
)
@click.option("--follow", is_flag=True, help="Of a hosted session: tell each input as it is taken.")
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
    config: str | None,
    follow: bool,
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
            chosen: Session | HostedEntry = hosted_entry(at.store, number) or session(at.store, number)
        else:
            found, entries = listed(at, branch, everything), hosted(at, branch, everything)
            both: list[Session | HostedEntry] = [*found, *entries]
            both.sort(key=lambda one: one.age_ms)
            if last and both:
                chosen = next((one for one in both if not one.is_finished), both[0])
            elif both and not as_json and can_pick() and can_redraw():
                chosen = _pick(at, both)
            else:
                status = show(at, found, branch, as_json, entries)
                if both and not as_json:
                    printing.out("resume one of them: sim resume ID, or sim resume --last")
                return status
        if isinstance(chosen, HostedEntry):
            if seconds is not None or workers is not None or engine is not None or html:
                raise ConfigError(f"session {chosen.id} is hosted; leave out --for, --workers, --engine and --html")
            return resume_hosted(at, chosen, config, follow=follow, as_json=as_json)
        if config is not None or follow:
            raise ConfigError(f"session {chosen.id} is a campaign; --config and --follow are for hosted sessions")
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


HEAD = ("id", "state", "target", "config", "seed", "progress", "findings", "active", "branch", "project")
SPARE = ("project", "branch", "findings", "progress", "config", "seed", "active", "state")
"""Where there is no room, what tells sessions apart least is left out first."""


def _pick(at: SessionDesk, found: list[Session | HostedEntry]) -> Session | HostedEntry:
    """The session that the user picks; those that can go on come first."""
    now = branches(at.here)

    def cells(one: Session | HostedEntry) -> tuple[str, ...]:
        plan = one.plan
        if isinstance(plan, HostedPlan):
            known = Path(plan.config).name, "", f"hosted: {plan.session}", ""
        else:
            assert isinstance(one, Session)
            settings = [*(f"{key}={value}" for key, value in plan.overrides), *([plan.faults] if plan.faults else [])]
            known = ", ".join(settings), str(plan.seed), progress_text(one), str(one.findings)
        where = branch_text(one.branch, now), Path(one.work_tree or at.here).name
        return str(one.id), one.state, plan.target, *known, f"{age(one.age_ms)} ago", *where

    picked = resume_picker(sorted(found, key=lambda one: one.is_finished), cells, HEAD, SPARE)
    if picked is None:
        raise KeyboardInterrupt
    return picked
