"""Campaigns and their sessions as text for people and as data."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from sim.base.errors import listing
from sim.campaign.answer import CampaignAnswer, PartTally
from sim.campaign.known import KnownCase
from sim.campaign.sample import Sample
from sim.campaign.sessions import Part, Session
from sim.report.data import coverage_data, found_data
from sim.report.fuzzed import covered_lines, finding_lines
from sim.report.standing import NOTHING, Standing
from sim.sessions.columns import age, branch_text, in_columns

SESSION_HEAD = ("id", "active", "branch", "target", "schedules", "findings", "state")
"""The columns of a list of sessions."""


def session_data(session: Session) -> dict[str, Any]:
    """A session for `--json`. Instants are in UTC."""
    plan = session.plan
    return {
        "id": session.id,
        "state": session.state,
        "target": plan.target,
        "model": plan.model,
        "branch": session.branch,
        "work_tree": session.work_tree,
        "schedules": session.schedules,
        "of": plan.schedules,
        "findings": session.findings,
        "seed": plan.seed,
        "strategy": plan.strategy,
        "keep_going": plan.keep_going,
        "chunk": plan.chunk,
        "seconds": round(session.seconds, 3),
        "created": _instant(session.created_ms),
        "active": _instant(session.active_ms),
        "age_ms": session.age_ms,
        "own": session.own,
    }


def _instant(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def part_data(part: Part) -> dict[str, Any]:
    """A part of a session for `--json`."""
    return {
        "roundsim": part.version,
        "code": part.code,
        "branch": part.branch,
        "commit": part.commit,
        "dirty": part.dirty,
        "created": _instant(part.created_ms),
    }


def known_data(known: KnownCase) -> dict[str, Any]:
    """A known counterexample and its replay, for `--json`."""
    return {
        "property": known.violated,
        "state": known.state.name.lower(),
        "before": known.before.name.lower(),
        "message": known.told or None,
        "session": known.session,
    }


def sample_data(sample: Sample) -> dict[str, Any]:
    """What the measured runs used, for `--json`."""
    return {
        "runs": sample.runs,
        "turns": sample.turns,
        "input_tokens": sample.input_tokens,
        "output_tokens": sample.output_tokens,
        "duplicate_items": sample.duplicates,
        "replay_updates": sample.replays,
        "usd": sample.usd,
        "usd_known": sample.usd is not None and sample.usd_is_whole,
    }


# --- text -------------------------------------------------------------------------------------------


def session_table(sessions: Sequence[Session], branches: Collection[str]) -> list[str]:
    """The sessions, one per line; `branches` are those that exist now."""
    return in_columns([SESSION_HEAD, *(session_row(session, branches) for session in sessions)])


def session_row(session: Session, branches: Collection[str]) -> tuple[str, ...]:
    """The cells of a session's line."""
    return (
        str(session.id),
        f"{age(session.age_ms)} ago",
        branch_text(session.branch, branches),
        session.plan.target,
        progress_text(session),
        str(session.findings),
        session.state,
    )


def progress_text(session: Session) -> str:
    """The progress of a session: `400 of 1,000`."""
    total = session.plan.schedules
    return f"{session.schedules:,}" + ("" if total is None else f" of {total:,}")


def known_lines(known: Sequence[KnownCase]) -> Iterator[str]:
    """The state of the counterexamples that earlier campaigns found."""
    for one in known:
        yield f"known     {one.sentence}"


def sample_line(sample: Sample) -> Iterator[str]:
    """What a run of the campaign uses, by the measured runs; empty if they used nothing."""
    runs = sample.runs
    if not (sample.turns or sample.duplicates or sample.replays):
        return
    tokens = sample.input_tokens + sample.output_tokens
    said = [
        f"{sample.turns / runs:.1f} turns",
        f"{tokens / runs:,.0f} tokens",
        f"{sample.duplicates / runs:.1f} duplicates",
    ]
    if sample.usd is not None:
        least = "" if sample.usd_is_whole else "at least "
        said.append(f"{least}{float(sample.usd) / runs:.4f} USD")
    measured = f"{runs} run{'s' if runs != 1 else ''} measured"
    yield f"a run has    {listing(said, 'and')} ({measured})"


def end_line(session: Session, part: int) -> str:
    """The state of a session, and what to do next."""
    which = f"session {session.id}" + (f", part {part}" if part > 1 else "")
    if session.state == "stopped":
        return f"{which}: stopped at its first violation; sim status {session.id} shows it again"
    if session.state == "done":
        return f"{which}: done, {progress_text(session)} schedules"
    return f"{which}: open, {progress_text(session)} schedules; resume it with: sim resume {session.id}"


def session_standing(session: Session, told: Sequence[tuple[Part, PartTally]], unloaded: str) -> Standing:
    """How a campaign stands; `unloaded` says why its model cannot be loaded, if it cannot."""
    plan = session.plan
    where = f"branch {session.branch}" if session.branch is not None else "no branch"
    runs = [line.partition("has")[2].strip() for _, tally in told for line in sample_line(tally.sample)]
    found = [found for _, tally in told for found in tally.found]
    cut_short = sum(tally.cut_short for _, tally in told)
    wrong = dict.fromkeys(f"VIOLATED {one.property}: {one.counterexample.message}" for one in found)
    return Standing(
        f"session {session.id}: {plan.target}, schedules by {plan.strategy}, seed {plan.seed}",
        f"{session.state}, {progress_text(session)} schedules; {where}, active {age(session.age_ms)} ago",
        "; a run has ".join([f"{session.seconds:.2f} s", *runs[-1:]]),
        f"{cut_short:,} schedules, cut short by the bound on steps" if cut_short else NOTHING,
        (*wrong, *([unloaded] if unloaded else [])),
        tuple(_next_of(session, found=bool(found))),
    )


def _next_of(session: Session, *, found: bool) -> Iterator[str]:
    if not session.is_finished:
        yield f"resume it with: sim resume {session.id}"
    elif session.state == "done" and session.plan.schedules is None:
        yield f"more of it: sim resume {session.id} --for 60s"
    if found:
        yield f"fix it, then fuzz {session.plan.target} again: what was found is run first"


def session_lines(session: Session, told: Sequence[tuple[Part, PartTally]], code: str, unloaded: str) -> Iterator[str]:
    """The details of a session; `code` is the digest of the current code, `unloaded` says why its coverage is unknown,
    if it is."""
    plan = session.plan
    if plan.overrides:
        yield f"config      {', '.join(f'{key}={value}' for key, value in plan.overrides)}"
    for number, (part, tally) in enumerate(told, 1):
        if not tally.schedules and number < len(told):
            continue
        yield ""
        yield f"part {number}: {part.shown}, roundsim {part.version}"
        if isinstance(tally, CampaignAnswer):
            if part.code != code:
                yield "changed     the code has changed since; the transitions are named by its current tables"
            yield from covered_lines(tally, tally.seconds)
        else:
            yield f"{tally.schedules:,} schedules, {tally.steps:,} steps; their coverage is unknown: {unloaded}"
        yield from sample_line(tally.sample)
        for found in tally.found:
            yield from finding_lines(found)


def answer_data(part: Part, tally: PartTally) -> dict[str, Any]:
    """What a part of a session did, for `--json`."""
    data = {
        **part_data(part),
        "verdict": tally.verdict,
        "schedules": tally.schedules,
        "steps": tally.steps,
        "cut_short": tally.cut_short,
        "worker_seconds": round(tally.seconds, 6),
        "usage": sample_data(tally.sample),
        "found": [{**found_data(found), "text": tally.texts[found.counterexample]} for found in tally.found],
    }
    return {**data, **coverage_data(tally)} if isinstance(tally, CampaignAnswer) else data
