"""Planted faults of the queue of updates."""

from __future__ import annotations

from dataclasses import replace

from models.consensus.coordinator import Coordinator
from models.consensus.messages import Dropped, Turn, Update
from tests.saboteurs.planted import Saboteur


class DropsTheNewest(Coordinator):
    """A full queue keeps what it has."""

    def make_room(self) -> None:
        while len(self.journal.queue) > self.queue_max - 1:
            self.drop(self.journal.queue[-1], "the queue is full")


class DropsSilently(Coordinator):
    """A full queue drops its oldest without a word."""

    def make_room(self) -> None:
        if len(self.journal.queue) >= self.queue_max:
            self.journal = replace(self.journal, queue=self.journal.queue[1:])


class NeverDrops(Coordinator):
    """The queue takes everything."""

    def make_room(self) -> None:
        pass


class StalestFirst(Coordinator):
    """The next question is made from what waits longest."""

    def take_turn(self) -> None:
        if self.journal.queue:
            oldest, *others = self.journal.queue
            self.emit(Turn(oldest), journal=replace(self.journal, queue=tuple(others)))


class QueuesStale(Coordinator):
    """Queues a snapshot though a newer one is there."""

    def is_newer(self, update: Update) -> bool:
        return update.run == self.run


class ForgetsTheQueue(Coordinator):
    """What is queued when a run ends is never told of."""

    def flush(self) -> None:
        pass


class QueueLostInCrash(Coordinator):
    """What is queued does not survive a crash."""

    def on_restart(self) -> None:
        self.journal = replace(self.journal, queue=())


class DropsThenJournals(Coordinator):
    """Says that a snapshot is dropped, and only then takes it out of the queue."""

    def drop(self, number: int, reason: str) -> None:
        self.emit(Dropped(number, reason))
        self.journal = replace(self.journal, queue=tuple(n for n in self.journal.queue if n != number))


UPDATES = (
    Saboteur("the newest update dropped", DropsTheNewest, "updates_once", "none", {"updates": 3, "queue": 2}),
    Saboteur("an update dropped without a word", DropsSilently, "drops_told", "none", {"updates": 2, "queue": 1}),
    Saboteur("a queue without bound", NeverDrops, "drops_told", "none", {"updates": 2, "queue": 1}),
    Saboteur(
        "the stalest update first", StalestFirst, "from_the_newest", "none", {"updates": 2, "rounds": 2}, schedules=50
    ),
    Saboteur("a stale update queued", QueuesStale, "updates_once", "none", {"updates": 2}),
    Saboteur("queued updates forgotten at the end", ForgetsTheQueue, "updates_once", "none", {"updates": 1}),
    Saboteur(
        "queued updates lost in a crash",
        QueueLostInCrash,
        "updates_once",
        "crash:1@coordinator",
        {"updates": 1},
        schedules=80,
    ),
    Saboteur(
        "an update dropped before it is journalled",
        DropsThenJournals,
        "updates_once",
        "crash:1@coordinator after Dropped",
        {"updates": 1},
    ),
)
