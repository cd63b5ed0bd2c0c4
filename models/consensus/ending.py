"""The part of the coordinator that ends a run: stopped, cancelled, and told so exactly once."""

from __future__ import annotations

from dataclasses import replace

from sim import IGNORE, Counted

from .core import Core
from .deciding import Deciding
from .journal import CANCELLED
from .messages import AckDecision, Cancel, Stop, StopAck, Stopped, Stopping, Withdrawn
from .parts import Rows
from .updates import Updates

ROWS: Rows = (
    # A stop lets a decision that was taken come through, and takes no further one.
    {"trigger": Stop, "source": ["asking", "done"], "dest": "stopped", "after": "stop"},
    {"trigger": Stop, "source": ["storing", "gated"], "dest": None, "unless": "is_stopping", "after": "note_stop"},
    {"trigger": Stop, "source": ["storing", "gated", "stopped"], "dest": IGNORE},
    # A cancellation does not wait for the consumer. What the store was asked for cannot be called back.
    {"trigger": Cancel, "source": ["asking", "done"], "dest": "stopped", "after": "stop"},
    {"trigger": Cancel, "source": "gated", "dest": "stopped", "after": "withdraw"},
    {"trigger": Cancel, "source": "storing", "dest": None, "unless": "is_withdrawn", "after": "note_cancel"},
    {"trigger": Cancel, "source": ["storing", "stopped"], "dest": IGNORE},
)


class Ending(Deciding, Updates, Core):
    """A run that is to stop says so once, when nothing of it is on its way any longer."""

    def note_stop(self) -> None:
        self.emit(Stopping(self.run), journal=self.journal.stop())

    def stop(self) -> None:
        self.emit(Stopped(self.run), journal=self.journal.stop())
        self.end()

    def release_and_stop(self, ack: AckDecision) -> None:
        """Stopped first: an acknowledgement that is lost in a crash comes again and is a repeated one then,
        but nobody would say a second time that the run has stopped."""
        self.emit(Stopped(self.run), journal=self.released())
        self.emit(Counted(ack.key))
        self.end()

    def is_withdrawn(self) -> bool:
        return self.journal.withdrawn

    def note_cancel(self) -> None:
        journal = self.journal if self.is_stopping() else self.journal.stop()
        self.emit(Stopping(self.run), journal=replace(journal, withdrawn=True))

    def withdraw(self) -> None:
        number = self.number()
        self.emit(Stopped(self.run), journal=self.journal.withdrawing())
        self.emit(Withdrawn(self.run, number, CANCELLED))
        self.end()

    def end(self) -> None:
        """After a stop, and again after a crash that follows one."""
        self.flush()
        self.confirm_stop()

    def confirm_stop(self) -> None:
        self.send("user", StopAck(self.run))
