"""The part of the ledger that follows updates and countdowns."""

from __future__ import annotations

from models.consensus.messages import Acknowledged, Begun, Dropped, RanOut, Turn, Update
from sim import Counted, Emission, Message


class Broken(Exception):
    """Exactly-once does not hold; the text says what happened."""


class Updates:
    """Snapshots that were queued: each is used or dropped, once, and the newest is never dropped for an older."""

    def __init__(self, queue_max: int) -> None:
        self.queue_max = queue_max
        self.queued: list[int] = []
        self.newest = 0

    def emitted(self, emission: Emission, received: Message | None) -> None:
        if isinstance(emission, Counted) and isinstance(received, Update):
            if received.number <= self.newest:
                raise Broken(f"{received} was queued after {self.newest}")
            self.queued.append(received.number)
            self.newest = received.number
        elif isinstance(emission, Turn | Dropped):
            if emission.number not in self.queued:
                raise Broken(f"{emission}, with {self.queued} queued")
            older = [number for number in self.queued if number < emission.number]
            newer = [number for number in self.queued if number > emission.number]
            if isinstance(emission, Turn) and (older or newer):
                raise Broken(f"{emission} with {self.queued} queued")
            if isinstance(emission, Dropped) and older and not newer:
                raise Broken(f"{emission}, and {older} are kept")
            self.queued.remove(emission.number)

    def step(self) -> None:
        if len(self.queued) > self.queue_max:
            raise Broken(f"{len(self.queued)} updates are queued, {self.queue_max} may be")

    def rest(self) -> None:
        if self.queued:
            raise Broken(f"updates {self.queued} were queued, and neither used nor dropped")


class Countdowns:
    """A decision is taken when the last countdown that was begun for it has run out."""

    def __init__(self, counts_down: bool) -> None:
        self.counts_down = counts_down
        self.running: tuple[str, int, int] | None = None
        self.begun: set[tuple[str, int, int]] = set()
        self.over = False

    def emitted(self, emission: Emission) -> None:
        if isinstance(emission, Begun):
            self.running, self.over = (emission.run, emission.id, emission.seq), False
            if self.running in self.begun:
                raise Broken(f"countdown {self.running} was begun twice")
            self.begun.add(self.running)
        elif isinstance(emission, RanOut):
            self.over = self.over or (emission.run, emission.id, emission.seq) == self.running
        elif isinstance(emission, Acknowledged) and self.counts_down:
            if not self.over or self.running is None or self.running[::2] != (emission.run, emission.seq):
                raise Broken(f"{emission} before countdown {self.running} had run out")
            self.running, self.over = None, False

    def rest(self) -> None:
        if self.running is not None:
            raise Broken(f"countdown {self.running} has no end")
