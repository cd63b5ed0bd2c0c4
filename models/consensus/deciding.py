"""The part of the coordinator that decides, has the decision stored, and waits for its acknowledgement."""

from __future__ import annotations

from dataclasses import replace

from sim import IGNORE, Accepted, ConsensusFailure, Counted, Rejected, Replayed
from sim.consensus import OURS, ConsensusSequence, Reason, verdict
from sim.consensus import AckDecision as Ack

from .core import Core
from .failures import failure_of
from .journal import Journal
from .messages import AckDecision, Decided, Decision, NotStored, Store, Stored
from .parts import Rows

_SETTLED = ["asking", "storing", "gated", "done", "stopped"]

ROWS: Rows = (
    # Storing.
    {
        "trigger": Stored,
        "source": "storing",
        "dest": "stopped",
        "conditions": ["is_pending", "is_withdrawn"],
        "after": "withdraw",
    },
    {"trigger": Stored, "source": "storing", "dest": "gated", "conditions": "is_pending", "after": "present"},
    {"trigger": Stored, "source": _SETTLED, "dest": IGNORE},
    {"trigger": NotStored, "source": "storing", "dest": None, "conditions": "is_pending", "after": "pause"},
    {"trigger": NotStored, "source": _SETTLED, "dest": IGNORE},
    {"trigger": "backoff", "source": "storing", "dest": None, "after": ["note_replay", "store"]},
    {"trigger": "resend", "source": "storing", "dest": None, "after": "store_again"},
    {"trigger": "resend", "source": "gated", "dest": None, "after": "present_again"},
    # The gate: one decision at a time.
    {
        "trigger": AckDecision,
        "source": "gated",
        "dest": "stopped",
        "conditions": ["opens_gate", "is_stopping"],
        "after": "release_and_stop",
    },
    {
        "trigger": AckDecision,
        "source": "gated",
        "dest": "asking",
        "conditions": ["opens_gate", "has_more"],
        "before": "release",
        "after": "begin_step",
    },
    {
        "trigger": AckDecision,
        "source": "gated",
        "dest": "done",
        "conditions": "opens_gate",
        "before": "release",
        "after": "flush",
    },
    {"trigger": AckDecision, "source": _SETTLED, "dest": None, "after": "reject_ack"},
)


class Deciding(Core):
    """Every effect is journalled before it is asked for, so that a restart repeats what may be lost and
    nothing else is repeated by anybody."""

    # --- storing ------------------------------------------------------------------------------------

    def decide(self) -> None:
        round_, stage = self.place()
        text = self.verdict()
        self.emit(Accepted((self.run, round_, stage)), journal=self.decided(text))
        self.emit(Decided(round_, stage, self.number(), text))
        self.store()

    def decided(self, text: str) -> Journal:
        """The journal with this verdict of the step in hand, which begins."""
        return self.journal.decided(self.step(), text)

    def verdict(self) -> str:
        return verdict(self.journal.answers, self.roster(), self.quorum)

    def store(self) -> None:
        self.send("store", Store(self.run, *self.place(), self.number(), self.journal.verdict))
        self.arm_resend()

    def arm_resend(self) -> None:
        if self.resent < self.resends:
            self.arm("resend", self.resend_ms)

    def store_again(self) -> None:
        self.resent += 1
        self.note_replay()
        self.store()

    def pause(self) -> None:
        """A refusal is not a loss: it takes none of the resends, and a decision is presented until it is stored."""
        self.arm("backoff", OURS.wait_ms(1, failure_of(ConsensusFailure.kind)))

    def is_pending(self, stored: Stored | NotStored) -> bool:
        return (stored.run, stored.seq) == (self.run, self.number())

    # --- the gate -----------------------------------------------------------------------------------

    def present(self) -> None:
        self.journal = replace(self.journal, stored=True)
        self.send_decision()

    def send_decision(self) -> None:
        self.send("consumer", Decision(self.run, self.number(), self.journal.verdict))
        self.arm_resend()

    def present_again(self) -> None:
        self.resent += 1
        self.note_replay()
        self.send_decision()

    def note_replay(self) -> None:
        """The pending request goes out again. After a crash it may be the first time, which nobody can know."""
        self.emit(Replayed(("gated" if self.journal.stored else "storing", self.run, self.number())))

    def refusal(self, ack: AckDecision) -> Reason | None:
        """Why this acknowledgement releases nothing now; None if it does."""
        answer = ConsensusSequence.from_value(self.journal.sequence).acknowledge(self.named(ack))
        return None if answer.accepted else answer.reason

    def named(self, ack: AckDecision) -> Ack:
        """The decision that it acknowledges, as the sequence has it."""
        return Ack(ack.run, ack.seq)

    def opens_gate(self, ack: AckDecision) -> bool:
        return self.refusal(ack) is None

    def release(self, ack: AckDecision) -> None:
        """Counted and journalled at once: after a crash in between it would be counted again."""
        self.emit(Counted(ack.key), journal=self.released())

    def reject_ack(self, ack: AckDecision) -> None:
        reason = self.refusal(ack)
        self.emit(Rejected(ack.key, REASONS.get(reason, "stale") if reason else "late"))

    def on_exit_storing(self) -> None:
        self.cancel("resend")
        self.cancel("backoff")
        self.resent = 0

    def on_exit_gated(self) -> None:
        self.on_exit_storing()


REASONS = {Reason.DUPLICATE: "duplicate", Reason.CANCELLED_BEFORE: "cancelled"}
"""The sequence's reasons as those of the input ledger; all others mean that it is not this decision's."""
