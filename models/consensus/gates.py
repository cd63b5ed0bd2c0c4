"""Quality gates between stages, off by default: agents look at what the next stage starts from, and a person settles
what they do not.

A gate is a stage: asked, decided and stored as any other. It settles itself if the quorum says ok, by `agree` and
`settled_by` of `sim.consensus`; if not, its verdict is `unsettled`, and after its acknowledgement the run waits for a
person, who lets it go on or ends it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from sim import DEFER, IGNORE, Counted, Monitor, Process, Received
from sim.consensus import Fix, Label, Weight, Who, agree, settled_by

from .answers import AllDecided, Verdicts
from .deciding import Deciding
from .journal import Stage
from .messages import (
    AckDecision,
    Ask,
    Cancel,
    NotStored,
    Question,
    Response,
    Ruled,
    Ruling,
    Stop,
    Store,
    Stored,
    Update,
)
from .parts import Rows

UNSETTLED = "unsettled"
"""The verdict of a gate that a person has to settle."""
OPEN, REFUSED = "open", "refused"
"""Where the last gate stands that its agents did not settle."""

ROWS: Rows = (
    {
        "trigger": "boot",
        "source": "booting",
        "dest": "awaiting",
        "conditions": "awaits_person",
        "unless": "was_stopped",
        "after": "ask_person",
    },
    {"trigger": Ruling, "source": "booting", "dest": DEFER},
    {
        "trigger": AckDecision,
        "source": "gated",
        "dest": "awaiting",
        "conditions": ["opens_gate", "is_unsettled"],
        "unless": "is_stopping",
        "before": "release_unsettled",
        "after": "ask_person",
    },
    {
        "trigger": Ruling,
        "source": "awaiting",
        "dest": "guarding",
        "conditions": ["guardrail", "is_asked_for", "lets_it_go_on"],
        "before": "heed",
        "after": "guard",
    },
    {
        "trigger": Ruling,
        "source": "awaiting",
        "dest": "asking",
        "conditions": ["is_asked_for", "lets_it_go_on"],
        "before": "heed",
        "after": "begin_step",
    },
    {
        "trigger": Ruling,
        "source": "awaiting",
        "dest": "done",
        "conditions": "is_asked_for",
        "before": "heed",
        "after": "flush",
    },
    {
        "trigger": Ruling,
        "source": ["awaiting", "guarding", "asking", "storing", "gated", "done", "stopped"],
        "dest": IGNORE,
    },
    {"trigger": "resend", "source": "awaiting", "dest": None, "after": "ask_person_again"},
    {"trigger": Update, "source": "awaiting", "dest": None, "conditions": "is_newer", "after": "enqueue"},
    {"trigger": Update, "source": "awaiting", "dest": None, "after": "reject_update"},
    {"trigger": Response, "source": "awaiting", "dest": None, "after": "reject"},
    {"trigger": AckDecision, "source": "awaiting", "dest": None, "after": "reject_ack"},
    *({"trigger": answer, "source": "awaiting", "dest": IGNORE} for answer in (Stored, NotStored)),
    *({"trigger": wish, "source": "awaiting", "dest": "stopped", "after": "stop"} for wish in (Stop, Cancel)),
)


def gate_verdict(answers: Sequence[tuple[str, str]], roster: tuple[str, ...], quorum: tuple[int, int]) -> str:
    """What the agents of a gate say together: a minor matter that can be fixed without a person, if the quorum says ok."""
    agreement = agree(answers, roster, quorum)
    if agreement.value != "ok" or settled_by(agreement, Weight.MINOR, Fix.AUTOMATIC) is Who.PERSON:
        return UNSETTLED
    return "ok" if agreement.label is Label.HIGH else "degraded"


class Gated(Deciding):
    """While awaiting, a person has the word."""

    gates: bool = False
    gate: str = ""
    """Where the last gate stands that its agents did not settle; empty if no person is needed."""

    def verdict(self) -> str:
        if self.gates and self.stage().mode == "gate":
            return gate_verdict([*dict(self.journal.answers).items()], self.roster(), self.quorum)
        return super().verdict()

    def has_more(self) -> bool:
        return super().has_more() and self.gate != REFUSED

    def is_unsettled(self) -> bool:
        return self.journal.verdict == UNSETTLED

    def release_unsettled(self, ack: AckDecision) -> None:
        self.emit(Counted(ack.key), journal=self.released(), gate=OPEN)

    def awaits_person(self) -> bool:
        return self.gate == OPEN

    def ask_person(self) -> None:
        self.send("person", Question(self.run, self.number()))
        if self.resent < self.resends:
            self.arm("resend", self.resend_ms)

    def ask_person_again(self) -> None:
        self.resent += 1
        self.ask_person()

    def on_exit_awaiting(self) -> None:
        self.cancel("resend")
        self.resent = 0

    def is_asked_for(self, ruling: Ruling) -> bool:
        return (ruling.run, ruling.seq) == (self.run, self.number())

    def lets_it_go_on(self, ruling: Ruling) -> bool:
        return ruling.goes_on and self.has_more()

    def heed(self, ruling: Ruling) -> None:
        gate = "" if ruling.goes_on else REFUSED
        self.emit(Ruled(ruling.run, ruling.seq, ruling.goes_on), gate=gate)


class Person(Process):
    """Settles what it is asked, as often as it is asked in the same way."""

    states = ("at_hand",)
    transitions = ({"trigger": Question, "source": "at_hand", "dest": None, "after": "rule"},)

    ruled: tuple[int, bool] = (0, False)
    """The last decision that it has settled, and how."""

    def rule(self, question: Question) -> None:
        if question.seq != self.ruled[0]:
            self.ruled = (question.seq, self.choose("go on", "end") == "go on")
        self.send(self.sender, Ruling(question.run, *self.ruled))


class GateVerdicts(Verdicts):
    """The same of a run with gates."""

    def verdict_of(self, stage: Stage, answers: Sequence[tuple[str, str]]) -> str:
        usual = super().verdict_of(stage, answers)
        return gate_verdict(answers, stage.roster, self.quorum) if stage.mode == "gate" else usual


class AllDecidedOrRefused(AllDecided):
    """A person may end the run as well."""

    transitions: ClassVar[Rows] = (  # type: ignore[assignment]  # more rows than its base
        *AllDecided.transitions,
        {"trigger": Ruled, "source": "deciding", "dest": "over", "unless": "goes_on", "before": "end"},
        {"trigger": Ruled, "source": "*", "dest": None},
    )

    def goes_on(self, ruled: Ruled) -> bool:
        return ruled.goes_on


class PersonRules(Monitor):
    """After a gate that its agents did not settle nobody is asked until a person lets the run go on; it is settled once."""

    states = ("watching",)
    transitions = (
        {"trigger": Received, "source": "watching", "dest": None, "conditions": "is_gate", "after": "close"},
        {
            "trigger": Received,
            "source": "watching",
            "dest": None,
            "conditions": "is_question",
            "after": "judge_question",
        },
        {"trigger": Received, "source": "watching", "dest": None},
        {"trigger": Ruled, "source": "watching", "dest": None, "after": "judge"},
    )

    steps: tuple[tuple[int, str], ...]
    """(round, stage) for each, in order."""
    last: int = 0
    """The last decision of a gate that its agents did not settle."""
    shut: tuple[int, str] | None = None
    """Its round and stage, until a person lets the run go on."""

    def is_gate(self, received: Received) -> bool:
        order = received.message
        return isinstance(order, Store) and order.verdict == UNSETTLED and order.seq > self.last

    def close(self, received: Received) -> None:
        assert isinstance(received.message, Store)
        self.last, self.shut = received.message.seq, (received.message.round, received.message.stage)

    def is_question(self, received: Received) -> bool:
        return isinstance(received.message, Ask)

    def judge_question(self, received: Received) -> None:
        assert isinstance(received.message, Ask)
        asked = (received.message.round, received.message.stage)
        if self.shut is not None and self.steps.index(asked) > self.steps.index(self.shut):
            self.violate(f"{asked[1]} {asked[0]} was asked, and nobody has settled {self.shut[1]} {self.shut[0]}")

    def judge(self, ruled: Ruled) -> None:
        if self.shut is None or ruled.seq != self.last:
            self.violate(f"decision {ruled.seq} was settled, and it was not open")
        if ruled.goes_on:
            self.shut = None
