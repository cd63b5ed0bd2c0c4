"""Exactly-once, built in as two ledgers.

*Inputs*: every received input ends in exactly one of counted, rejected (with a reason), or lost in a
crash, which is allowed only where redelivery is owed. *Effects*: every accepted key ends in exactly one
of applied or cancelled (with a reason), and is applied at most once, across crashes. A duplicate is
caught when it happens, a missing one where a run comes to rest or goes round forever: each key is owed by itself.

`Applied` must be emitted by what holds the effect (a durable store), never by the coordinator itself; `Received`,
`Crashed` and `Restarted` are emitted by the framework.
"""

from __future__ import annotations

from collections.abc import Mapping

from sim.base.errors import unknown
from sim.base.values import Emission, Message, Value, encode, show
from sim.machine.process import Monitor, Process
from sim.machine.table import trigger_name

REASONS = ("duplicate", "stale", "late", "cancelled", "unusable")
"""Why an input may be rejected."""


class Received(Emission):
    """A message was delivered to `process` (emitted by the framework, before its handler runs)."""

    process: str
    message: Message


class Crashed(Emission):
    """`process` crashed (emitted by the framework)."""

    process: str


class Restarted(Emission):
    """`process` is up again (emitted by the framework, before `on_restart` runs)."""

    process: str


class Counted(Emission):
    """An input was counted."""

    key: Value


class Rejected(Emission):
    """An input was rejected, for one of `REASONS`."""

    key: Value
    reason: str


class Accepted(Emission):
    """A logical key was accepted: its effect is owed."""

    key: Value


class Applied(Emission):
    """The effect of a key was applied, durably."""

    key: Value


class Cancelled(Emission):
    """The effect of an accepted key is no longer owed."""

    key: Value
    reason: str


def _has_key(message: type) -> bool:
    return hasattr(message, "key") or "key" in getattr(message, "__dataclass_fields__", {})


class InputLedger(Monitor):
    """Every input of the message types `types` that `process` receives is settled exactly once.

    Such a message class has a property or field `key`. `redelivered` says that what a crash loses is owed a redelivery.
    """

    states = ("settled", "owing")
    hot = ("owing",)
    owes = "open"
    transitions = (
        {"trigger": Received, "source": "*", "dest": "owing", "conditions": "is_input", "after": "open_input"},
        {"trigger": Received, "source": "*", "dest": None},
        {"trigger": Counted, "source": "*", "dest": "settled", "conditions": "is_last", "before": "count"},
        {"trigger": Counted, "source": "*", "dest": None, "before": "count"},
        {"trigger": Rejected, "source": "*", "dest": "settled", "conditions": "is_last", "before": "reject"},
        {"trigger": Rejected, "source": "*", "dest": None, "before": "reject"},
        {"trigger": Crashed, "source": "*", "dest": "settled", "conditions": "is_mine", "before": "lose"},
        {"trigger": Crashed, "source": "*", "dest": None},
    )

    process: str
    types: tuple[str, ...]
    redelivered: bool = False
    open: tuple[Value, ...] = ()
    counted: frozenset[Value] = frozenset()

    def misfits(self, processes: Mapping[str, Process]) -> list[str]:
        if not any(type(process).table.triggers for process in processes.values()):
            return []  # of a program: it emits itself what it receives
        if self.process not in processes:
            return [unknown("process", self.process, processes)]
        if not isinstance(self.types, tuple):
            return [f"types is {show(self.types)}; expected a tuple of names of message types"]
        received = {trigger_name(t): t for t in type(processes[self.process]).table.triggers if isinstance(t, type)}
        found = [
            f"{self.process}: {unknown('message type', name, received)}" for name in self.types if name not in received
        ]
        keyless = [n for n in self.types if n in received and not _has_key(received[n])]
        return found + [f"{name} has no key: add a field or a property `key`" for name in keyless]

    def is_input(self, received: Received) -> bool:
        return received.process == self.process and type(received.message).__name__ in self.types

    def is_mine(self, crashed: Crashed) -> bool:
        return crashed.process == self.process

    def is_last(self, settled: Counted | Rejected) -> bool:
        return len(self.open) == 1 and settled.key in self.open

    def open_input(self, received: Received) -> None:
        message: Value = received.message
        self.open = tuple(sorted((*self.open, message.key), key=encode))

    def count(self, counted: Counted) -> None:
        if counted.key in self.counted:
            self.violate(f"input {show(counted.key)} was counted twice")
        self.settle(counted.key, "counted")
        self.counted |= {counted.key}

    def reject(self, rejected: Rejected) -> None:
        if rejected.reason not in REASONS:
            self.violate(f"input {show(rejected.key)} was rejected as {rejected.reason!r}, which is no reason")
        self.settle(rejected.key, "rejected")

    def settle(self, key: Value, how: str) -> None:
        if key not in self.open:
            self.violate(f"input {show(key)} was {how}, but none is open")
        at = self.open.index(key)
        self.open = self.open[:at] + self.open[at + 1 :]

    def lose(self) -> None:
        if self.open and not self.redelivered:
            self.violate(f"input {show(self.open[0])} was lost in a crash, and nobody owes its redelivery")
        self.open = ()


class EffectLedger(Monitor):
    """Every accepted key is applied exactly once, or cancelled."""

    states = ("settled", "owing")
    hot = ("owing",)
    owes = "accepted"
    transitions = (
        {"trigger": Accepted, "source": "*", "dest": None, "conditions": "is_closed"},
        {"trigger": Accepted, "source": "*", "dest": "owing", "before": "accept"},
        {"trigger": Applied, "source": "*", "dest": "settled", "conditions": "is_last", "before": "apply"},
        {"trigger": Applied, "source": "*", "dest": None, "before": "apply"},
        {"trigger": Cancelled, "source": "*", "dest": "settled", "conditions": "is_last", "before": "cancel_key"},
        {"trigger": Cancelled, "source": "*", "dest": None, "before": "cancel_key"},
    )

    accepted: frozenset[Value] = frozenset()
    applied: frozenset[Value] = frozenset()
    cancelled: frozenset[Value] = frozenset()

    def is_closed(self, accepted: Accepted) -> bool:
        return accepted.key in self.applied or accepted.key in self.cancelled

    def is_last(self, settled: Applied | Cancelled) -> bool:
        return self.accepted == frozenset({settled.key})

    def accept(self, accepted: Accepted) -> None:
        self.accepted |= {accepted.key}

    def apply(self, applied: Applied) -> None:
        key = applied.key
        if key in self.applied:
            self.violate(f"{show(key)} was applied twice")
        if key in self.cancelled:
            self.violate(f"{show(key)} was applied after it was cancelled")
        if key not in self.accepted:
            self.violate(f"{show(key)} was applied but never accepted")
        self.accepted -= {key}
        self.applied |= {key}

    def cancel_key(self, cancelled: Cancelled) -> None:
        key = cancelled.key
        if key in self.applied:
            self.violate(f"{show(key)} was cancelled after it was applied")
        if key in self.cancelled:
            self.violate(f"{show(key)} was cancelled twice")
        if key not in self.accepted:
            self.violate(f"{show(key)} was cancelled but never accepted")
        self.accepted -= {key}
        self.cancelled |= {key}
