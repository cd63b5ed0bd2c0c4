"""What must hold of a consensus run: exactly-once, the gate, stops, updates, countdowns. What must hold of
its questions, answers and verdicts is in `models.consensus.answers`.

A monitor's memory is part of a state. So it holds what the processes know as well, and forgets what they
have forgotten: nothing here tells two states apart that go on in the same way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from sim import Accepted, Applied, Counted, Crashed, InputLedger, Monitor, Received

from .messages import (
    Acknowledged,
    Begun,
    Cancel,
    Dropped,
    RanOut,
    Stop,
    StopAck,
    Stopped,
    Stopping,
    Turn,
)


class Inputs(InputLedger):
    """Every input is settled exactly once. What was counted is remembered of answers only, and until their
    stage is over: one that counts after that is one too many for `last_question`, an acknowledgement that
    counts twice for `ack_gate`, an update for `updates_once`."""

    transitions: ClassVar[Sequence[Mapping[str, Any]]] = (  # type: ignore[assignment]  # more rows than its base
        *InputLedger.transitions,
        {"trigger": Accepted, "source": "*", "dest": None, "after": "forget"},
        {"trigger": Stopped, "source": "*", "dest": None, "after": "forget"},
    )

    def count(self, counted: Counted) -> None:
        super().count(counted)
        if isinstance(counted.key, tuple) and counted.key[0] in ("ack", "update"):
            self.counted -= {counted.key}

    def forget(self) -> None:
        self.counted = frozenset()


class AckGate(Monitor):
    """A decision is released only by its own acknowledgement, once, and when the consumer has taken it.

    That an acknowledgement releases is seen by its being counted.
    """

    states = ("watching",)
    transitions = (
        {"trigger": Accepted, "source": "watching", "dest": None, "after": "note_decision"},
        {"trigger": Acknowledged, "source": "watching", "dest": None, "after": "note_taken"},
        {"trigger": Counted, "source": "watching", "dest": None, "conditions": "is_ack", "after": "judge"},
        {"trigger": Counted, "source": "watching", "dest": None},
    )

    run: str
    decided: int
    """The number of the last decision."""
    taken: int
    """The number of the last decision that the consumer took."""
    released: int
    """The number of the last decision that was released."""

    def note_decision(self) -> None:
        self.decided += 1

    def note_taken(self, emission: Acknowledged) -> None:
        self.taken = emission.seq

    def is_ack(self, counted: Counted) -> bool:
        return isinstance(counted.key, tuple) and counted.key[0] == "ack"

    def judge(self, counted: Counted) -> None:
        assert isinstance(counted.key, tuple)
        _, run, seq = counted.key
        if run != self.run:
            self.violate(f"decision {self.decided} was released by an acknowledgement of {run}")
        if seq != self.decided:
            self.violate(f"decision {self.decided} was released by the acknowledgement of decision {seq}")
        if self.decided > self.taken:
            self.violate(f"decision {seq} was released before it was taken")
        if self.decided <= self.released:
            self.violate(f"decision {seq} was released twice")
        self.released = self.decided


class TakenInOrder(Monitor):
    """The consumer takes each decision of this run once, in order, and only when its artifact is stored."""

    states = ("watching",)
    transitions = (
        {"trigger": Applied, "source": "watching", "dest": None, "after": "note"},
        {"trigger": Acknowledged, "source": "watching", "dest": None, "after": "judge"},
    )

    run: str
    stored: int
    """Artifacts stored so far; decisions are numbered in the order in which they are to be."""
    taken: int

    def note(self) -> None:
        self.stored += 1

    def judge(self, emission: Acknowledged) -> None:
        if emission.run != self.run:
            self.violate(f"a decision of {emission.run} was taken in {self.run}")
        if emission.seq > self.stored:
            self.violate(f"decision {emission.seq} was taken before its artifact was stored")
        if emission.seq != self.taken + 1:
            self.violate(f"decision {emission.seq} was taken after decision {self.taken}")
        self.taken = emission.seq


class StopOnce(Monitor):
    """A run that was asked to stop does, once, and accepts nothing after it has said so."""

    states = ("running", "heard", "owed", "stopped", "told")
    hot = ("heard", "owed")
    transitions = (
        {"trigger": Received, "source": "running", "dest": "heard", "conditions": "is_request"},
        {"trigger": Received, "source": "*", "dest": "told", "conditions": "is_confirmation"},
        {"trigger": Received, "source": "*", "dest": None},
        {"trigger": Crashed, "source": "heard", "dest": "running", "conditions": "is_mine"},
        {"trigger": Crashed, "source": "*", "dest": None},
        {"trigger": Stopping, "source": "*", "dest": "owed"},
        {"trigger": Stopped, "source": ["running", "heard", "owed"], "dest": "stopped"},
        {"trigger": Stopped, "source": ["stopped", "told"], "dest": None, "after": "complain"},
        {"trigger": Accepted, "source": ["running", "heard", "owed"], "dest": None},
        {"trigger": Accepted, "source": ["stopped", "told"], "dest": None, "after": "complain_of_effect"},
    )

    def is_request(self, received: Received) -> bool:
        return isinstance(received.message, Stop | Cancel)

    def is_confirmation(self, received: Received) -> bool:
        return isinstance(received.message, StopAck)

    def is_mine(self, crashed: Crashed) -> bool:
        return crashed.process == "coordinator"

    def complain(self, emission: Stopped) -> None:
        self.violate(f"run {emission.run} stopped twice")

    def complain_of_effect(self) -> None:
        self.violate("something was accepted after the stop")


def _is_update(counted: Counted) -> bool:
    return isinstance(counted.key, tuple) and counted.key[0] == "update"


def _number(counted: Counted) -> int:
    assert isinstance(counted.key, tuple)
    number = counted.key[-1]
    assert isinstance(number, int)
    return number


class UpdatesOnce(Monitor):
    """Every snapshot that was queued makes a question or is dropped, once, and not in favour of an older one."""

    states = ("settled", "owing")
    hot = ("owing",)
    transitions = (
        {"trigger": Counted, "source": "*", "dest": "owing", "conditions": "is_update", "after": "enqueue"},
        {"trigger": Counted, "source": "*", "dest": None},
        {"trigger": Turn, "source": "*", "dest": "settled", "conditions": "is_last", "before": "settle"},
        {"trigger": Turn, "source": "*", "dest": None, "before": "settle"},
        {"trigger": Dropped, "source": "*", "dest": "settled", "conditions": "is_last", "before": "settle"},
        {"trigger": Dropped, "source": "*", "dest": None, "before": "settle"},
    )

    queued: tuple[int, ...] = ()

    def is_update(self, counted: Counted) -> bool:
        return _is_update(counted)

    def enqueue(self, counted: Counted) -> None:
        number = _number(counted)
        if number in self.queued:
            self.violate(f"update {number} was queued twice")
        self.queued = (*self.queued, number)

    def is_last(self, settled: Turn | Dropped) -> bool:
        return self.queued == (settled.number,)

    def settle(self, settled: Turn | Dropped) -> None:
        if settled.number not in self.queued:
            self.violate(f"update {settled.number} was used or dropped, and it is not in the queue")
        if isinstance(settled, Dropped) and settled.number == max(self.queued) != min(self.queued):
            self.violate(f"update {settled.number} was dropped, and older ones are kept")
        self.queued = tuple(number for number in self.queued if number != settled.number)


class FromTheNewest(Monitor):
    """A question is made from the newest snapshot that was there."""

    states = ("watching",)
    transitions = (
        {"trigger": Counted, "source": "watching", "dest": None, "conditions": "is_update", "after": "note"},
        {"trigger": Counted, "source": "watching", "dest": None},
        {"trigger": Turn, "source": "watching", "dest": None, "after": "judge"},
    )

    newest: int = 0

    def is_update(self, counted: Counted) -> bool:
        return _is_update(counted)

    def note(self, counted: Counted) -> None:
        self.newest = max(self.newest, _number(counted))

    def judge(self, turn: Turn) -> None:
        if turn.number != self.newest:
            self.violate(f"a question was made from update {turn.number}, when {self.newest} was there")


class DropsTold(Monitor):
    """A full queue makes room with a word: by what was told, no more wait than it has room for."""

    states = ("watching",)
    transitions = (
        {"trigger": Counted, "source": "watching", "dest": None, "conditions": "is_update", "after": "note"},
        {"trigger": Counted, "source": "watching", "dest": None},
        {"trigger": Turn, "source": "watching", "dest": None, "after": "forget"},
        {"trigger": Dropped, "source": "watching", "dest": None, "after": "forget"},
    )

    queue_max: int
    waiting: int = 0

    def is_update(self, counted: Counted) -> bool:
        return _is_update(counted)

    def note(self) -> None:
        self.waiting += 1
        if self.waiting > self.queue_max:
            self.violate(f"{self.waiting} updates wait, of which the queue may hold {self.queue_max}; no drop was told")

    def forget(self) -> None:
        self.waiting -= 1


class RunsOut(Monitor):
    """A decision that waits for a countdown is taken when that one has run out, and not before."""

    states = ("idle", "counting", "over")
    transitions = (
        {"trigger": Begun, "source": "*", "dest": "counting", "after": "begin"},
        {"trigger": RanOut, "source": "counting", "dest": "over", "conditions": "is_mine"},
        {"trigger": RanOut, "source": "*", "dest": None},
        {"trigger": Acknowledged, "source": "over", "dest": "idle", "before": "forget"},
        {"trigger": Acknowledged, "source": ["idle", "counting"], "dest": None, "after": "complain"},
    )

    countdown: tuple[str, int, int] = ("", 0, 0)

    def begin(self, begun: Begun) -> None:
        self.countdown = (begun.run, begun.id, begun.seq)

    def is_mine(self, ran_out: RanOut) -> bool:
        return (ran_out.run, ran_out.id, ran_out.seq) == self.countdown

    def forget(self) -> None:
        self.countdown = ("", 0, 0)

    def complain(self, taken: Acknowledged) -> None:
        self.violate(f"decision {taken.seq} was taken before its countdown had run out")
