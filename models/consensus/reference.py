"""The part of the coordinator that other coordinators have and ours has not: rows that a switch turns on.

They come before ours in the table, each behind a guard that reads `models.consensus.switches`. What a switch
changes inside of a method is there.
"""

from __future__ import annotations

from dataclasses import replace

from models.consensus.asking import Asking
from models.consensus.core import Rows
from models.consensus.ending import Ending
from models.consensus.journal import TERMINAL, Journal
from models.consensus.messages import AckDecision, Cancel, Response, Stop, Stopped, Stored
from models.consensus.sequence import Progress, RunPhase
from sim import IGNORE, Counted

RESTARTS_MAX = 6
_RUNNING = ["asking", "storing", "gated", "done"]

ROWS: Rows = (
    {"trigger": Response, "source": "asking", "dest": "blocked", "conditions": "overlaps", "after": "reject"},
    {
        "trigger": Response,
        "source": ["storing", "gated", "done"],
        "dest": "storing",
        "conditions": ["decides_again", "is_expected"],
        "before": "count",
        "after": "decide",
    },
    {"trigger": "patience", "source": "asking", "dest": IGNORE, "conditions": "polls_silently"},
    {
        "trigger": AckDecision,
        "source": "gated",
        "dest": "asking",
        "conditions": ["acks_in_two_writes", "opens_gate", "has_more"],
        "before": "release_in_two_writes",
        "after": "begin_step",
    },
    {
        "trigger": AckDecision,
        "source": "gated",
        "dest": "done",
        "conditions": ["acks_in_two_writes", "opens_gate"],
        "unless": "is_stopping",
        "before": "release_in_two_writes",
    },
    {
        "trigger": Stored,
        "source": "storing",
        "dest": "exited",
        "conditions": ["is_pending", "exits_when_failed"],
        "after": "send_decision_once",
    },
    {"trigger": Stop, "source": _RUNNING, "dest": "exited", "conditions": "exits_at_stop", "after": "drop_all"},
    {"trigger": Cancel, "source": _RUNNING, "dest": "exited", "conditions": "exits_when_cancelled"},
    # Blocked: the one pending check will never be acknowledged.
    {"trigger": Response, "source": "blocked", "dest": None, "after": "reject"},
    {"trigger": AckDecision, "source": "blocked", "dest": None, "after": "reject_ack"},
    {"trigger": Stored, "source": "blocked", "dest": IGNORE},
    {"trigger": Stop, "source": "blocked", "dest": "stopped", "after": "stop"},
)


class Reference(Asking, Ending):
    """What the switches of a reference profile need besides our own methods."""

    def on_restart(self) -> None:
        if self.switches.restarts_limited:
            self.restarts += 1

    def gives_up(self) -> bool:
        return self.restarts > RESTARTS_MAX

    def overlaps(self, response: Response) -> bool:
        here = (response.run, response.round, response.stage) == (self.run, *self.place())
        first = not self.journal.answers and self.stage().name == "validate"
        return self.switches.validate_unacked and first and not here

    def decides_again(self) -> bool:
        return self.switches.decides_again

    def polls_silently(self) -> bool:
        return self.switches.poll_silent and not self.late_ones() and not self.is_backing_off()

    def acks_in_two_writes(self) -> bool:
        return self.switches.ack_in_two_writes

    def release_in_two_writes(self, ack: AckDecision) -> None:
        """In between, the step is neither pending nor processed: it would be taken up again."""
        released = self.released()
        run, seq, (round_, stage), _, phase = self.journal.sequence
        before = (round_ - 1, len(self.stages)) if stage == 1 else (round_, stage - 1)
        cleared = (run, seq, before, Progress.RELEASED.value, phase)
        self.journal = replace(self.journal.forgotten(), sequence=cleared)
        self.emit(Counted(ack.key), journal=released)

    def exits_when_failed(self) -> bool:
        return self.switches.failed_exits and self.journal.verdict in TERMINAL

    def exits_at_stop(self) -> bool:
        return self.switches.stop_exits

    def exits_when_cancelled(self) -> bool:
        return self.switches.cancel_exits

    def send_decision_once(self) -> None:
        self.send_decision()
        self.cancel("resend")

    def drop_all(self) -> None:
        """Nothing that is pending or queued is told of: it is as if it had never been."""
        run, seq, key, progress, _ = self.journal.sequence
        settled = Progress.CANCELLED.value if progress == Progress.BEGUN.value else progress
        stopped = Journal(sequence=(run, seq, key, settled, RunPhase.STOPPED.value), newest=self.journal.newest)
        self.emit(Stopped(self.run), journal=stopped)
        self.confirm_stop()
