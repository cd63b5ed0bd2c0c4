"""The part of the coordinator that takes updates of the conversation while a decision is on its way."""

from __future__ import annotations

from dataclasses import replace

from models.consensus.core import Core, Rows
from models.consensus.messages import Dropped, Turn, Update
from sim import Counted, Rejected

ROWS: Rows = (
    {
        "trigger": Update,
        "source": ["asking", "storing", "gated"],
        "dest": None,
        "conditions": "is_newer",
        "after": "enqueue",
    },
    {
        "trigger": Update,
        "source": ["asking", "storing", "gated", "done", "stopped"],
        "dest": None,
        "after": "reject_update",
    },
)


class Updates(Core):
    """A snapshot holds all that an earlier one does: the newest makes the next question, and what it
    replaces is dropped, each with a word."""

    def is_newer(self, update: Update) -> bool:
        return update.run == self.run and update.number > self.journal.newest

    def enqueue(self, update: Update) -> None:
        """Room first: the queue is never too long, and what is dropped is told of whatever happens then."""
        self.make_room()
        queue = (*self.journal.queue, update.number)
        self.emit(Counted(update.key), journal=replace(self.journal, queue=queue, newest=update.number))

    def make_room(self) -> None:
        if len(self.journal.queue) < self.queue_max or self.switches.queue_unbounded:
            return
        oldest = self.journal.queue[0]
        if self.switches.queue_silent:
            self.journal = replace(self.journal, queue=without(self.journal.queue, oldest))
        else:
            self.drop(oldest, "the queue is full")

    def reject_update(self, update: Update) -> None:
        if self.state == "stopped":
            reason = "cancelled"
        elif update.run != self.run or update.number < self.journal.newest:
            reason = "stale"
        else:
            reason = "duplicate" if update.number == self.journal.newest else "late"
        self.emit(Rejected(update.key, reason))

    def drop(self, number: int, reason: str) -> None:
        self.emit(Dropped(number, reason), journal=replace(self.journal, queue=without(self.journal.queue, number)))

    def take_turn(self) -> None:
        """The next question is made from the newest snapshot, those before it are not needed any more."""
        queue = self.journal.queue
        if not queue:
            return
        number = queue[0] if self.switches.queue_fifo else queue[-1]
        if not self.switches.queue_fifo:
            for older in queue[:-1]:
                self.drop(older, "a newer one is there")
        self.emit(Turn(number), journal=replace(self.journal, queue=without(self.journal.queue, number)))

    def flush(self) -> None:
        """No further question will be asked."""
        for number in self.journal.queue:
            self.drop(number, "the run has ended")


def without(queue: tuple[int, ...], number: int) -> tuple[int, ...]:
    """The queue but for this snapshot."""
    return tuple(other for other in queue if other != number)
