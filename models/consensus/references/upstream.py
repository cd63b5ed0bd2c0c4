"""The upstream's coordinator: it is gone where ours ends, and its queue is not kept as ours is."""

from __future__ import annotations

from dataclasses import replace

from sim import IGNORE
from sim.consensus import AckDecision as Ack
from sim.consensus import Progress, RunPhase

from ..coordinator import MESSAGES, Coordinator
from ..journal import TERMINAL, Journal
from ..messages import AckDecision, Cancel, Stop, Stopped, Stored
from ..parts import Rows
from ..updates import without
from .deviating import Deviating

RESTARTS_MAX = 6
_RUNNING = ["asking", "storing", "gated", "done"]

ROWS: Rows = (
    {"trigger": "boot", "source": "booting", "dest": "exited", "conditions": "gives_up"},
    {
        "trigger": Stored,
        "source": "storing",
        "dest": "exited",
        "conditions": ["is_pending", "exits_when_failed"],
        "after": "send_decision_once",
    },
    {"trigger": Stop, "source": _RUNNING, "dest": "exited", "conditions": "exits_at_stop", "after": "drop_all"},
    {"trigger": Cancel, "source": _RUNNING, "dest": "exited", "conditions": "exits_when_cancelled"},
    # Exited: the channel is closed, what arrives is read by nobody.
    *({"trigger": message, "source": "exited", "dest": IGNORE} for message in MESSAGES),
)


class Upstream(Deviating, Coordinator):
    """Numbers that begin at 0 and name no run, a queue that is replayed or cut in silence, exits that owe nothing."""

    # --- exits --------------------------------------------------------------------------------------

    def on_restart(self) -> None:
        if self.switches.restarts_limited:
            self.restarts += 1

    def gives_up(self) -> bool:
        return self.restarts > RESTARTS_MAX

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

    # --- numbers ------------------------------------------------------------------------------------

    def number(self) -> int:
        return super().number() - self.switches.counts_from_zero

    def named(self, ack: AckDecision) -> Ack:
        run = self.run if self.switches.runs_unnamed else ack.run
        return Ack(run, ack.seq + self.switches.counts_from_zero)

    # --- updates ------------------------------------------------------------------------------------

    def is_full(self) -> bool:
        return super().is_full() and not self.switches.queue_unbounded

    def drop_oldest(self) -> None:
        if self.switches.queue_silent:
            oldest, *_ = queue = self.journal.queue
            self.journal = replace(self.journal, queue=without(queue, oldest))
        else:
            super().drop_oldest()

    def take_turn(self) -> None:
        if self.switches.queue_fifo and self.journal.queue:
            self.turn_to(self.journal.queue[0])
        else:
            super().take_turn()
