"""The trace of a session as a log that `sim conform` holds against the model, and the faults that struck in it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from sim.base.durations import show_duration
from sim.host.journal import Journal, Line
from sim.machine.codec import plain

FORMAT = 1
LABELS = ("run", "stage", "agent", "attempt")
"""What a log says of tokens that were used: for whom and for what. How many is no business of the model."""


def log_text(journal: Journal, session: str, *, head: bool = True, above: int = 0, more: Iterable[Line] = ()) -> Iterator[str]:
    """The log, line by line; `more` are lines that were not kept."""
    config = journal.sessions()[session][0]
    if head:
        yield _json({"roundsim_log": FORMAT, **({"model": journal.model} if journal.model else {}), "config": config})
    before = above
    for part in (journal.trace(session, above), more):
        for line in part:
            if "input" in line.said:
                yield _json(log_line(journal, line, before))
                before = line.n


def log_line(journal: Journal, line: Line, before: int = 0) -> dict[str, Any]:
    """One line of the trace as a line of a log. Whatever one host does is in one order: each line comes after the one
    `before` it."""
    said = line.said
    given = {key: inner for key, inner in plain(said["input"]).items() if key != "reset_ms"}
    found: dict[str, Any] = {"process": line.process, "input": given}
    found["outputs"] = [_put(put) for put in said["outputs"]]
    for key in ("state", "fields"):
        if key in said:
            found[key] = plain(said[key])
    mine = journal.id[:8]
    found |= {"at": line.at_ms, "id": f"{mine}/{line.n}"}
    if before:
        found["cause"] = f"{mine}/{before}"
    return {**found, "run": line.session}


def _put(put: dict[str, Any]) -> dict[str, Any]:
    inner: dict[str, Any] = plain(put)
    if "emit" in inner and inner["emit"]["name"] == "Used":
        fields = inner["emit"]["fields"]
        inner["emit"]["fields"] = {name: fields[name] for name in LABELS}
    return inner


def faults_of(lines: Iterable[Line]) -> str:
    """The faults that struck, as a plan: what a model has to allow so that such a log can be a path of it."""
    struck: Counter[tuple[str, str, int | None]] = Counter()
    for line in lines:
        given = line.said.get("input", {})
        if "crash" in given:
            struck["crash", line.process, None] += 1
        elif "fault" in given:
            struck[given["fault"], given["from"], given.get("reset_ms")] += 1
    return ",".join(
        f"{kind}:{count}@{target}{'' if hint is None else f'({show_duration(hint)})'}"
        for (kind, target, hint), count in struck.items()
    )


def _json(data: Any) -> str:
    return json.dumps(data, ensure_ascii=True, separators=(",", ":")) + "\n"
