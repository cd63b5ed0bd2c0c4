"""The part of the coordinator that takes updates of the conversation while a decision is on its way."""

from __future__ import annotations

from dataclasses import replace

from sim import Counted, Rejected

from .core import Core
from .messages import Dropped, Turn, Update
from .parts import Rows

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
        if self.is_full():
            self.drop_oldest()

    def is_full(self) -> bool:
        return len(self.journal.queue) >= self.queue_max

    def drop_oldest(self) -> None:
        self.drop(self.journal.queue[0], "the queue is full")

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
        """The next question is made from the newest snapshot, those before it are no longer needed."""
        if self.journal.queue:
            *older, newest = self.journal.queue
            for number in older:
                self.drop(number, "a newer one is there")
            self.turn_to(newest)

    def turn_to(self, number: int) -> None:
        self.emit(Turn(number), journal=replace(self.journal, queue=without(self.journal.queue, number)))

    def flush(self) -> None:
        """No further question will be asked."""
        for number in self.journal.queue:
            self.drop(number, "the run has ended")


def without(queue: tuple[int, ...], number: int) -> tuple[int, ...]:
    """The queue but for this snapshot."""
    return tuple(other for other in queue if other != number)
