"""`sim sessions`: lists the campaigns and hosted sessions that are kept, by git branch."""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import Any

import click

from sim.base import printing
from sim.base.errors import ConfigError, ExitStatus, SimError
from sim.campaign import sessions
from sim.campaign.answer import PartTally, answer_of, tally_of
from sim.campaign.code import code_of
from sim.campaign.hosted_sessions import HostedEntry, adopt_hosted, hosted_entries, hosted_entry
from sim.campaign.sessions import Part, Session, parts, session
from sim.cli import options
from sim.cli.campaigns import SessionDesk, desk
from sim.cli.hosting import follow_hosted, summary_of, tell_hosted
from sim.cli.terminal import width_of_output
from sim.report.campaign import answer_data, session_data, session_lines, session_standing, session_table
from sim.report.hosted import HOSTED_HEAD
from sim.scenario import Target
from sim.sessions.columns import age, branch_text, in_columns
from sim.sessions.git import branches, spelt
from sim.sessions.session_filter import SessionFilter, names_of

by_branch = click.option("--branch", metavar="NAME", help="The sessions of this branch instead of the current one.")
of_all = click.option("--all", "everything", is_flag=True, help="The sessions of every branch.")


@click.command()
@by_branch
@of_all
@click.option("--adopt", is_flag=True, help="Take over the sessions of this store that another machine or folder made.")
@options.as_json
def command(branch: str | None, everything: bool, adopt: bool, as_json: bool) -> int:
    """List the sessions of the current git branch, with the most recent activity first."""
    with desk() as at:
        adopted = [*sessions.adopt(at.store), *adopt_hosted(at.store)] if adopt else []
        if adopted and not as_json:
            printing.out(f"adopted: {', '.join(f'session {number}' for number in adopted)}")
        return show(at, listed(at, branch, everything), branch, as_json, hosted(at, branch, everything))


def listed(at: SessionDesk, branch: str | None, everything: bool) -> list[Session]:
    """The requested sessions. A branch that was renamed has the sessions of its former names."""
    if everything and branch is not None:
        raise ConfigError("--all and --branch are both given; give one")
    if everything:
        return sessions.sessions(at.store, None)
    name = spelt(os.fsencode(branch)) if branch is not None else at.place.branch
    return sessions.sessions(at.store, at.project, SessionFilter(names_of(at.here, name)))


def hosted(at: SessionDesk, branch: str | None, everything: bool) -> list[HostedEntry]:
    """The hosted sessions that are requested."""
    if everything:
        return hosted_entries(at.store, None, SessionFilter())
    name = spelt(os.fsencode(branch)) if branch is not None else at.place.branch
    return hosted_entries(at.store, at.project, SessionFilter(names_of(at.here, name)))


def show(
    at: SessionDesk, found: list[Session], branch: str | None, as_json: bool, others_hosted: list[HostedEntry]
) -> int:
    """The tables, or the object."""
    if as_json:
        data = [session_data(one) for one in found]
        more = [_hosted_row_data(one) for one in others_hosted]
        shown = branch if branch is not None else at.place.branch
        options.print_json({"branch": shown, "sessions": data, "hosted": more})
    elif found or others_hosted:
        if found:
            printing.out(*session_table(found, branches(at.here)))
        if others_hosted:
            printing.out(*([""] if found else []), *hosted_table(others_hosted, branches(at.here)))
        foreign = [str(one.id) for one in found if not one.own]
        if foreign:
            printing.out(f"not known to be yours: session {', '.join(foreign)}; if they are: sim sessions --adopt")
    else:
        name = branch if branch is not None else at.place.branch
        where = f" of branch {name}" if name is not None else f": {at.place.shown}"
        others = len(sessions.sessions(at.store, None))
        rest = (
            f"; sim sessions --all lists {others} of others" if others else "; sim fuzz TARGET --workers 2 starts one"
        )
        printing.out(f"no session{where}{rest}")
    return ExitStatus.AS_EXPECTED


def hosted_table(found: list[HostedEntry], known: Collection[str]) -> list[str]:
    """The hosted sessions, one per line; `known` are the branches that exist now."""
    rows = [
        (str(one.id), f"{age(one.age_ms)} ago", branch_text(one.branch, known), one.plan.target, *summary_of(one))
        for one in found
    ]
    return in_columns([HOSTED_HEAD, *rows])


def _hosted_row_data(one: HostedEntry) -> dict[str, Any]:
    stage, pending, cost, state = summary_of(one)
    told = {"stage": stage, "pending": pending, "cost": cost, "state": state}
    names = {"target": one.plan.target, "session": one.plan.session, "journal": one.plan.journal}
    return {"id": one.id, "branch": one.branch, "age_ms": one.age_ms, "own": one.own, **names, **told}


def tell(number: int, as_json: bool, *, artifacts: bool = False, follow: bool = False, page: bool = False) -> int:
    """What session `number` covered, found and used: part by part, since each ran different code. A hosted one: what it is
    doing, used and cost."""
    with desk() as at:
        if (entry := hosted_entry(at.store, number)) is not None:
            if page:
                from sim.cli.live_page import serve_page  # with all that explains and draws

                return serve_page(entry)
            if follow:
                return follow_hosted(entry, as_json=as_json)
            return tell_hosted(entry, as_json=as_json, artifacts=artifacts)
        if artifacts or follow or page:
            raise ConfigError(
                f"session {number} is a campaign; --artifacts, --follow and --page are for hosted sessions"
            )
        one = session(at.store, number)
        try:
            target: Target | None = one.load()
            code, why = code_of(one.plan.model).digest, ""
        except SimError as error:  # for instance on another branch, without the model
            target, code, why = None, "", error.mistakes[0]
        told = [(part, _answer(at, one, part, target)) for part in parts(at.store, number)]
        standing = session_standing(one, told, why)
        if as_json:
            data = [{**answer_data(part, answer), "changed": part.code != code} for part, answer in told]
            options.print_json({**session_data(one), "standing": standing.as_dict(), "parts": data})
        else:
            printing.out(*standing.lines(width_of_output()), *session_lines(one, told, code, why))
    return ExitStatus.AS_EXPECTED


def _answer(at: SessionDesk, one: Session, part: Part, target: Target | None) -> PartTally:
    return tally_of(at.store, one, part) if target is None else answer_of(at.store, one, part, target.system.world())
