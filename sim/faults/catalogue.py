"""The table of all faults: what each kind strikes, what it does, and where it can be planned.

Plans, the graph's budget, the virtual clock, the injector for ordinary code and `docs/faults.md` all use this table;
`python -m sim.faults` prints it as Markdown.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from sim.base.values import Fault
from sim.faults.kinds import AgentTimeout, ConsensusFailure, Disconnect, EmptyResponse, RateLimited
from sim.faults.raised import (
    AgentTimeoutError,
    ConsensusFailureError,
    DisconnectError,
    EmptyResponseError,
    InjectedFault,
    RateLimitedError,
)


class Bites(Enum):
    """What a fault strikes; the values are the words of the docs."""

    ANSWER = "an agent's answer"
    VERDICT = "the verdict's message"
    ENVELOPE = "a message in flight"
    PROCESS = "a process, or a handler after one of its outputs"
    VERSION = "a process that has another version"
    CUT = "a named cut of the system"
    LINK = "a message when it is sent (timed runs)"
    CLOCK = "a process when something is due there (timed runs)"
    TASK = "a task of a program"
    CONNECTION = "a connection of a program"
    SERVED = "an answer of a simulated model endpoint"


TIMED = (Bites.LINK, Bites.CLOCK)
"""What only a clock knows: the graph has no time, so a check has no such faults."""


OF_PROGRAMS = (Bites.TASK, Bites.CONNECTION, Bites.SERVED)
"""What only a program has."""


class Takes(Enum):
    """What may or must be in the parentheses of an entry."""

    NOTHING = ""
    HINT = "optional: a reset hint"
    DURATION = "a duration"


@dataclass(frozen=True)
class FaultKind:
    """One kind of fault.

    - `trigger`: what the struck process is given; None: nothing
    - `survives`: what happens to the message, in words; empty: no message is affected
    - `error`: what it is in ordinary code; None: ordinary code has no such fault
    """

    kind: str
    bites: Bites
    what: str
    survives: str
    trigger: type[Fault] | None = None
    error: type[InjectedFault] | None = None
    takes: Takes = Takes.NOTHING
    ends: str = ""
    """What ends it by itself, if anything does."""

    @property
    def timed(self) -> bool:
        """Whether only a run on virtual time can have it."""
        return self.bites in TIMED

    @property
    def transient(self) -> bool | None:
        """Whether another attempt may succeed; None if nothing fails."""
        return self.error.transient if self.error is not None else None


_LATE, _GONE, _KEPT = "yes, it arrives late", "no", "yes"

TABLE: tuple[FaultKind, ...] = (
    FaultKind("agent_timeout", Bites.ANSWER, "the wait for it is over", _LATE, AgentTimeout, AgentTimeoutError),
    FaultKind("rate_limited", Bites.ANSWER, "refused temporarily", _GONE, RateLimited, RateLimitedError, Takes.HINT),
    FaultKind(
        "consensus_fail",
        Bites.VERDICT,
        "the round ends without consensus",
        _GONE,
        ConsensusFailure,
        ConsensusFailureError,
    ),
    FaultKind("empty_response", Bites.ANSWER, "the answer is empty", _GONE, EmptyResponse, EmptyResponseError),
    FaultKind("disconnect", Bites.ANSWER, "the connection broke", _GONE, Disconnect, DisconnectError),
    FaultKind("drop", Bites.ENVELOPE, "lost", _GONE),
    FaultKind("duplicate", Bites.ENVELOPE, "duplicated", _KEPT),
    FaultKind("reorder", Bites.ENVELOPE, "overtakes the messages before it (fifo networks)", _KEPT),
    FaultKind("crash", Bites.PROCESS, "loses all but its durable fields", "", ends="restart"),
    FaultKind("cut", Bites.CUT, "holds what crosses it (both ways, or one)", _KEPT, ends="heal"),
    FaultKind("update", Bites.VERSION, "stops, and starts as that version with its durable fields", ""),
    FaultKind("delay", Bites.LINK, "takes that much longer", _KEPT, takes=Takes.DURATION),
    FaultKind("pause", Bites.CLOCK, "takes no input for that long", "", takes=Takes.DURATION, ends="resume"),
    FaultKind("cancel", Bites.TASK, "is cancelled where it waits", ""),
    FaultKind("stop", Bites.TASK, "the program is told to stop, as by a signal", ""),
    FaultKind("refuse", Bites.CONNECTION, "is refused", ""),
    FaultKind("reset", Bites.CONNECTION, "is reset, and what is on its way there is lost", _GONE),
    FaultKind("split", Bites.CONNECTION, "what arrives comes in two parts", _KEPT),
    FaultKind("server_error", Bites.SERVED, "is an error of the server", _GONE),
    FaultKind("overloaded", Bites.SERVED, "is that the server has too much to do", _GONE),
    FaultKind("malformed", Bites.SERVED, "is JSON that breaks off", _GONE),
    FaultKind("contradiction", Bites.SERVED, "says the contrary of what it would have said", _GONE),
    FaultKind("repeated_id", Bites.SERVED, "has the ids of the answer before", _KEPT),
)
"""Every kind of fault except a model's own."""

ROWS = {row.kind: row for row in TABLE}
BUILT_IN = tuple(ROWS)
PLACED = tuple(row.kind for row in TABLE if row.bites in (Bites.PROCESS, Bites.CUT))
"""Kinds that may name the output after which they strike."""
OF_THE_GRAPH = tuple(
    row.kind for row in TABLE if row.trigger is None and not row.timed and row.bites not in OF_PROGRAMS
)
"""Kinds that every system has, without carriers."""
PROGRAM_KINDS = tuple(row.kind for row in TABLE if row.bites in OF_PROGRAMS)
"""Kinds that strike programs alone."""
HTTP_KINDS = tuple(row.kind for row in TABLE if row.bites in (Bites.ANSWER, Bites.SERVED))
"""Kinds that strike what a program is answered over HTTP."""
TIMED_KINDS = tuple(row.kind for row in TABLE if row.timed)


def strikes_messages(kind: str) -> bool:
    """Whether faults of this kind strike messages, and so may target a link or a message type; a model's own do."""
    return kind not in ROWS or ROWS[kind].bites not in (Bites.PROCESS, Bites.VERSION, Bites.CUT, Bites.CLOCK)


def markdown() -> str:
    """The table as docs/faults.md shows it."""
    head = ("kind", "what it strikes", "what happens", "trigger", "does the message survive", "error", "transient")
    lines = [_line(head), _line(["---"] * len(head))]
    for row in TABLE:
        what = row.what + (f"; ends with a {row.ends}" if row.ends else "")
        lines.append(
            _line(
                (
                    f"`{row.kind}`" + (f" ({row.takes.value})" if row.takes.value else ""),
                    row.bites.value,
                    what,
                    f"`{row.trigger.__name__}`" if row.trigger else "-",
                    row.survives or "-",
                    f"`{row.error.__name__}`" if row.error else "-",
                    "-" if row.transient is None else "yes" if row.transient else "no",
                )
            )
        )
    return "\n".join(lines) + "\n"


def _line(cells: tuple[str, ...] | list[str]) -> str:
    return f"| {' | '.join(cells)} |"
