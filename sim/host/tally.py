"""What a session has used, and what is pending in it, read off its journal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sim.host.journal import Journal
from sim.host.journal_records import Kept, Line
from sim.host.person import WAITS
from sim.metrics import TokenUsage
from sim.metrics.of_run import RunMetrics
from sim.metrics.settings import MetricsSettings
from sim.metrics.turns import Observed, Turn

CUT_OFF = "cut_off"
"""Why an answer did not count that a stop has cut off: whether it was paid for, nobody can say."""


@dataclass(frozen=True)
class PendingMail:
    """A message that has not arrived."""

    process: str
    """Who is to take it."""
    source: str
    message: str
    for_ms: int
    asked: bool
    """Whether an adapter was asked about it."""
    fault: str = ""
    id: int = 0


@dataclass
class SessionTally:
    """A session at one moment."""

    session: str
    state: str
    why: str
    config: Mapping[str, Any]
    began_ms: int
    active_ms: int
    machines: dict[str, Kept]
    pending: list[PendingMail]
    metrics: RunMetrics
    lines: int
    restarts: int
    """How often a host has gone on with it."""
    calls: int
    cut_off: int
    struck: dict[str, int] = field(default_factory=dict)
    """Domain faults, by kind."""
    texts: list[tuple[str, Any, str]] = field(default_factory=list)
    """(process, message, hash) of each payload that a machine took."""
    now_ms: int = 0
    """When that was so."""

    @property
    def stage(self) -> str:
        """Where it stands: the machine of this host that is named first, and its state."""
        first = next(((name, kept) for name, kept in self.machines.items() if kept.role == "here"), None)
        return "" if first is None else f"{first[0]} {first[1].state}"


class _Reader:
    """What the lines of a session say about its calls."""

    def __init__(self, journal: Journal) -> None:
        self.head = journal.id[:8]
        self.said: dict[int, Line] = {}
        self.fate: dict[str, str | None] = {}
        """By the line in which something was sent: why whoever took it rejected it; None if it counted."""
        self.duplicates = self.replays = self.lines = 0
        self.started_again: dict[str, int] = {}
        """How often, by machine."""
        self.active_ms = 0
        self.struck: dict[str, int] = {}

    def read(self, line: Line, answered: set[int]) -> None:
        said = line.said
        if "input" not in said:
            return
        self.lines += 1
        self.active_ms = line.at_ms
        if "restart" in said["input"]:
            self.started_again[line.process] = self.started_again.get(line.process, 0) + 1
        if (kind := said["input"].get("fault")) is not None:
            self.struck[kind] = self.struck.get(kind, 0) + 1
        if line.n in answered:
            self.said[line.n] = line
        counted = rejected = None
        for put in said["outputs"]:
            name = put.get("emit", {}).get("name")
            counted = counted or name == "Counted"
            if name == "Rejected":
                rejected = str(put["emit"]["fields"]["reason"])
                self.duplicates += rejected == "duplicate"
            self.replays += name == "Replayed"
        if "cause" in said and "deliver" in said["input"]:
            self.fate[said["cause"]] = None if counted else rejected

    def labels(self, n: int | None, process: str) -> dict[str, Any]:
        """For whom and for what a call was, as the model's process says."""
        line = self.said.get(n or 0)
        for put in line.said["outputs"] if line is not None else ():
            if put.get("emit", {}).get("name") == "Used":
                fields = put["emit"]["fields"]
                return {
                    "run": fields["run"],
                    "stage": fields["stage"],
                    "agent": fields["agent"],
                    "attempt": fields["attempt"],
                }
        return {"run": "", "stage": "", "agent": process, "attempt": 0}


def tally(journal: Journal, session: str, now_ms: int) -> SessionTally:
    """What the journal says of a session. Raises `KeyError` if there is none of this name."""
    config, state, why, began_ms = journal.sessions()[session]
    calls, mail = journal.calls(session), journal.mail(session)
    reader = _Reader(journal)
    answered = {call[4] for call in calls if call[4] is not None}
    for line in journal.trace(session):
        reader.read(line, answered)
    in_flight = {one.id for one in mail}
    last = {call[0]: index for index, call in enumerate(calls)}
    turns, models, cut_off = [], dict[str, str](), 0
    for index, (number, process, began, ended, line_n, outcome) in enumerate(calls):
        labels = reader.labels(line_n, process)
        if WAITS in outcome or (ended is not None and not outcome.get("model") and "usage" not in outcome):
            continue  # a person, or a command that reports nothing
        if ended is None:
            if number in in_flight and last[number] == index and state == "open":
                continue  # it is under way, or will be asked again
            cut_off += 1
            turns.append(Turn(None, latency_ms=None, wasted=CUT_OFF, **labels))
            continue
        usage = TokenUsage(**outcome["usage"]) if "usage" in outcome else None
        wasted = outcome.get("failure")
        if wasted is None:
            wasted = reader.fate.get(f"{reader.head}/{line_n}", "undelivered")
        elif usage is None:
            continue  # an attempt that failed before anything was made
        if outcome.get("model"):
            models[labels["agent"]] = outcome["model"]
        turns.append(Turn(usage, latency_ms=ended - began, wasted=wasted, **labels))
    observed = Observed(tuple(turns), reader.duplicates, reader.replays)
    as_of = datetime.fromtimestamp(began_ms / 1000, UTC)
    metrics = RunMetrics(MetricsSettings(models=models, as_of=as_of), observed)
    asked = {call[0] for call in calls if call[3] is None}
    pending = [
        PendingMail(
            one.target,
            one.source,
            message_words(one.message),
            max(0, now_ms - one.sent_ms),
            one.id in asked,
            one.fault["kind"] if one.fault else "",
            one.id,
        )
        for one in mail
    ]
    texts = [
        (process, message, digest)
        for process in journal.machines(session)
        for message, digest in journal.taken(session, process)
    ]
    machines = journal.machines(session)
    return SessionTally(
        session,
        state,
        why,
        config,
        began_ms,
        reader.active_ms or began_ms,
        machines,
        pending,
        metrics,
        reader.lines,
        max(reader.started_again.values(), default=0),
        len(calls),
        cut_off,
        reader.struck,
        texts,
        now_ms,
    )


def message_words(message: Any) -> str:
    """A message as the journal has it, in words."""
    inner = ", ".join(f"{name}={value}" for name, value in message.items() if name != "@")
    return f"{message['@']}({inner})" if inner else str(message["@"])
