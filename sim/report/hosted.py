"""Hosted sessions as text for people and as data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sim.base.errors import listing
from sim.host.journal import Journal
from sim.host.tally import PendingMail, SessionTally, message_words
from sim.machine.codec import plain
from sim.metrics.prices import usd_text
from sim.report.metrics import cost_words, spent_lines, unreported, wasted_words, wrong_words
from sim.report.standing import NOTHING, Standing
from sim.sessions.columns import age

PENDING_MAX = 20
"""How many pending messages are told."""
HOSTED_HEAD = ("id", "active", "branch", "target", "stage", "pending", "cost", "state")
"""The columns of a list of hosted sessions."""


def hosted_standing(found: SessionTally, number: int, waiting: Sequence[str] = ()) -> Standing:
    """How a hosted session stands; `waiting` are the questions that wait for a person."""
    why = f": {found.why}" if found.why else ""
    stage = f"; {found.stage}" if found.stage else ""
    last = f", the last {age(found.now_ms - found.active_ms)} ago"
    wrong = [found.why or "a property is violated"] if found.state == "failed" else []
    if found.cut_off:
        wrong.append(f"{_plural(found.cut_off, 'call')} asked, and stopped before the answer was kept")
    follow = [f"answer it: sim answer {number} TEXT ({one})" for one in waiting]
    if found.state not in ("over", "failed"):
        follow += [
            f"watch it: sim status {number} --page",
            f"if nobody hosts it, go on: sim resume {number}",
        ]
    spent = cost_text(found) if found.metrics.cost is not None else cost_words(found.metrics)
    return Standing(
        f"session {number}: {found.session}",
        f"{found.state}{why}{stage}; {_plural(found.lines, 'input')}{last}",
        spent,
        NOTHING if found.metrics.is_empty else wasted_words(found.metrics.wasted()),
        (*wrong, *wrong_words(found.metrics)),
        tuple(follow),
    )


def hosted_lines(found: SessionTally) -> Iterator[str]:
    """A session in full."""
    yield from standing_lines(found)
    yield when_line(found)
    shown = found.pending[:PENDING_MAX]
    for one in shown:
        yield f"pending     {pending_words(one)}"
    if len(found.pending) > len(shown):
        yield f"pending     and {len(found.pending) - len(shown):,} more"
    for process, kept in found.machines.items():
        if kept.timers and found.state == "open":
            due = sorted(kept.timers.items(), key=lambda timer: timer[1])
            yield f"timers      {process}: {', '.join(_due(name, at - found.now_ms) for name, at in due)}"
    yield from spent_lines(found.metrics)


def standing_lines(found: SessionTally) -> Iterator[str]:
    """Where a session stands, without what changes while nothing happens."""
    restarts = f", started again {_times(found.restarts)}" if found.restarts else ""
    why = f": {found.why}" if found.why else ""
    yield f"session     {found.session}, {found.state}{why}; {_plural(found.lines, 'input')}{restarts}"
    if found.config:
        yield f"config      {', '.join(f'{key}={value}' for key, value in found.config.items())}"
    for role, what in (("here", "machines"), ("played", "played")):
        names = [f"{name} {kept.state}" for name, kept in found.machines.items() if kept.role == role]
        if names:
            yield f"{what:<12}{', '.join(names)}"
    if watching := sum(kept.role == "monitor" for kept in found.machines.values()):
        yield f"monitors    {watching}{', none violated' if found.state != 'failed' else ''}"
    if found.struck:
        yield f"faults      {', '.join(f'{kind} {count}' for kind, count in sorted(found.struck.items()))}"
    if found.cut_off:
        yield f"cut off     {_plural(found.cut_off, 'call')}: asked, and stopped before the answer was kept"


def when_line(found: SessionTally) -> str:
    """Since when a session goes on, and how long nothing has happened."""
    if found.state == "over":
        return f"time        {age(found.active_ms - found.began_ms)}, over {age(found.now_ms - found.active_ms)} ago"
    began, last = age(found.now_ms - found.began_ms), age(found.now_ms - found.active_ms)
    return f"time        began {began} ago, last input {last} ago"


def pending_words(one: PendingMail) -> str:
    """A message on its way, in words."""
    what = f"{one.message} from {one.source}" + (f", struck by {one.fault}" if one.fault else "")
    asked = "was asked" if one.asked else "is to take"
    return f"{age(one.for_ms):<7} {one.process} {asked} {what}"


def _due(timer: str, in_ms: int) -> str:
    return f"{timer} in {age(in_ms)}" if in_ms > 0 else f"{timer} is due"


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s' * (count != 1)}"


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count:,} times")


def hosted_data(found: SessionTally) -> dict[str, Any]:
    """The same for `--json`."""
    return {
        "session": found.session,
        "state": found.state,
        "why": found.why or None,
        "config": dict(found.config),
        "inputs": found.lines,
        "restarts": found.restarts,
        "machines": {name: {"state": kept.state, "timers": dict(kept.timers)} for name, kept in found.machines.items()},
        "struck": found.struck,
        "calls": found.calls,
        "cut_off": found.cut_off,
        "pending": [
            {
                "to": one.process,
                "from": one.source,
                "message": one.message,
                "for_ms": one.for_ms,
                "asked": one.asked,
                "fault": one.fault or None,
            }
            for one in found.pending
        ],
        "metrics": found.metrics.as_dict(),
    }


def pending_text(found: SessionTally) -> str:
    """What is pending, for a list: `3 (gemini, claude)`."""
    if not found.pending:
        return "0"
    names = list(dict.fromkeys(one.process for one in found.pending))
    return f"{len(found.pending)} ({listing(names[:3], 'and')}{', ...' if len(names) > 3 else ''})"


def cost_text(found: SessionTally) -> str:
    """What it has cost, for a list."""
    cost = found.metrics.cost
    if cost is None:
        return f"{found.metrics.snapshot.running_total.total_tokens:,} tokens"
    least = "" if cost.total.is_known and not unreported(found.metrics.snapshot) else "at least "
    return f"{least}{usd_text(cost.total.usd)} USD"


def artifact_lines(journal: Journal, found: SessionTally) -> Iterator[str]:
    """The payloads that machines took, each with the message it came with."""
    texts = journal.texts([digest for _, _, digest in found.texts])
    for process, message, digest in found.texts:
        yield ""
        yield f"{process} took {message_words(message)}  {digest[:12]}"
        yield from (f"    {line}" for line in texts.get(digest, "").splitlines())
    if not found.texts:
        yield "no texts yet"


def artifact_data(journal: Journal, found: SessionTally) -> list[dict[str, Any]]:
    """The same for `--json`."""
    texts = journal.texts([digest for _, _, digest in found.texts])
    return [
        {"process": process, "message": plain(message), "kind": message["@"], "hash": digest, "text": texts.get(digest)}
        for process, message, digest in found.texts
    ]
