"""The guardrail ahead of each stage, off by default: a stage begins when it is launched, and in one flight only.

A launch is known by run, round and stage, and by a hash of its payload. The first starts the stage; the same once more is
a duplicate, another payload a conflict, and neither asks anybody. Nothing has to be closed when a stage ends: the record
of a flight names its round, so it never stands in the way of the next one.
"""

from __future__ import annotations

from sim import DEFER, IGNORE, Monitor, Process, Received

from .core import Core
from .messages import (
    AckDecision,
    Ask,
    Cancel,
    Guard,
    Launch,
    Launched,
    NotStored,
    Response,
    Stop,
    Stored,
    Update,
)
from .parts import Rows

STARTED, DUPLICATE, CONFLICT, STALE = "started", "duplicate", "conflict", "stale"
"""What comes of a launch."""

ROWS: Rows = (
    {
        "trigger": "boot",
        "source": "booting",
        "dest": "guarding",
        "conditions": ["guardrail", "has_more"],
        "unless": ["was_stopped", "was_gated", "is_complete", "has_asked", "is_launched"],
        "after": "guard",
    },
    {"trigger": Launch, "source": "booting", "dest": DEFER},
    {
        "trigger": AckDecision,
        "source": "gated",
        "dest": "guarding",
        "conditions": ["guardrail", "opens_gate", "has_more"],
        "unless": "is_stopping",
        "before": "release",
        "after": "guard",
    },
    {
        "trigger": Launch,
        "source": "guarding",
        "dest": "asking",
        "conditions": "is_due",
        "before": "start",
        "after": "begin_step",
    },
    {
        "trigger": Launch,
        "source": ["guarding", "awaiting", "asking", "storing", "gated", "done", "stopped"],
        "dest": None,
        "after": "refuse_launch",
    },
    {"trigger": "resend", "source": "guarding", "dest": None, "after": "guard_again"},
    {"trigger": Update, "source": "guarding", "dest": None, "conditions": "is_newer", "after": "enqueue"},
    {"trigger": Update, "source": "guarding", "dest": None, "after": "reject_update"},
    {"trigger": Response, "source": "guarding", "dest": None, "after": "reject"},
    {"trigger": AckDecision, "source": "guarding", "dest": None, "after": "reject_ack"},
    *({"trigger": answer, "source": "guarding", "dest": IGNORE} for answer in (Stored, NotStored)),
    *({"trigger": wish, "source": "guarding", "dest": "stopped", "after": "stop"} for wish in (Stop, Cancel)),
)


class Guarded(Core):
    """While guarding, the step in hand waits for its launch."""

    guardrail: bool = False
    flight: tuple[str | int, ...] = ()
    """What was launched last: (round, stage, payload)."""

    def is_launched(self) -> bool:
        return self.flight[:2] == self.place()

    def guard(self) -> None:
        self.send("guardrail", Guard(self.run, *self.place()))
        if self.resent < self.resends:
            self.arm("resend", self.resend_ms)

    def guard_again(self) -> None:
        self.resent += 1
        self.guard()

    def on_exit_guarding(self) -> None:
        self.cancel("resend")
        self.resent = 0

    def is_due(self, launch: Launch) -> bool:
        return (launch.run, launch.round, launch.stage) == (self.run, *self.place())

    def start(self, launch: Launch) -> None:
        self.emit(told(launch, STARTED), flight=(launch.round, launch.stage, launch.payload))

    def refuse_launch(self, launch: Launch) -> None:
        self.emit(told(launch, self.outcome(launch)))

    def outcome(self, launch: Launch) -> str:
        if (launch.run, launch.round, launch.stage) != (self.run, *self.flight[:2]):
            return STALE
        return DUPLICATE if launch.payload == self.flight[2] else CONFLICT


def told(launch: Launch, outcome: str) -> Launched:
    return Launched(launch.run, launch.round, launch.stage, launch.payload, outcome)


class Guardrail(Process):
    """Passes each stage that it is asked about and launches it. Somebody may launch the last one again, `relaunches` times
    in all, with the same payload or with another."""

    states = ("open",)
    may = ("relaunch",)
    transitions = (
        {"trigger": Guard, "source": "open", "dest": None, "after": "launch"},
        {"trigger": "relaunch", "source": "open", "dest": None, "conditions": "may_relaunch", "after": "launch_again"},
    )

    relaunches: int = 0
    passed: Guard | None = None
    """The stage that it has passed last."""

    def launch(self, guard: Guard) -> None:
        self.passed = guard
        self.send("coordinator", Launch(guard.run, guard.round, guard.stage, "same"))

    def may_relaunch(self) -> bool:
        return self.relaunches > 0 and self.passed is not None

    def launch_again(self) -> None:
        assert self.passed is not None
        self.relaunches -= 1
        payload = self.choose("same", "changed")
        self.send("coordinator", Launch(self.passed.run, self.passed.round, self.passed.stage, payload))


class SingleFlight(Monitor):
    """A stage is started once, whatever is launched, and nobody is asked for a stage that was not."""

    states = ("watching",)
    transitions = (
        {"trigger": Launched, "source": "watching", "dest": None, "conditions": "has_started", "after": "judge"},
        {"trigger": Launched, "source": "watching", "dest": None},
        {
            "trigger": Received,
            "source": "watching",
            "dest": None,
            "conditions": "is_question",
            "after": "judge_question",
        },
        {"trigger": Received, "source": "watching", "dest": None},
    )

    steps: tuple[tuple[int, str], ...]
    """(round, stage) for each that is still to be started, in order."""
    started: tuple[int, str] | None = None

    def has_started(self, launched: Launched) -> bool:
        return launched.outcome == STARTED

    def judge(self, launched: Launched) -> None:
        if (launched.round, launched.stage) == self.started:
            self.violate(f"{launched.stage} {launched.round} was started twice")
        self.started = (launched.round, launched.stage)
        self.steps = tuple(step for step in self.steps if step != self.started)

    def is_question(self, received: Received) -> bool:
        return isinstance(received.message, Ask)

    def judge_question(self, received: Received) -> None:
        assert isinstance(received.message, Ask)
        if (received.message.round, received.message.stage) in self.steps:
            asked = f"{received.process} was asked for {received.message.stage} {received.message.round}"
            self.violate(f"{asked}, which nobody has launched")
