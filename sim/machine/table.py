"""The table of a process or monitor, as it was read from the class (`sim.machine.table_reader`)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from sim.base.values import Value


class Dest(Enum):
    """Destinations that are not states."""

    IGNORE = "the input is consumed, nothing happens"
    DEFER = "the input is not enabled now; it stays in flight"


IGNORE = Dest.IGNORE
DEFER = Dest.DEFER

Trigger = type | str
"""What a row answers to: a `Message`, `Fault` or (in a monitor) `Emission` class, a timer's name, or
the name of a spontaneous move."""

Callbacks = dict[str, tuple[str, ...]]
"""State -> names of the methods called there."""

DOWN = "(down)"
GONE = "(gone)"
OFF = "(off)"
FAILED = "(failed)"
"""States beside a machine's own: crashed, crashed for good, down with the machine it is on, failed (a finding)."""


@dataclass(frozen=True)
class Row:
    """One row: in `source`, on `trigger`, if its guards hold, go to `dest` (None stays, without
    leaving and entering; `=` leaves and enters again)."""

    index: int
    trigger: Trigger
    sources: tuple[str, ...]
    dest: str | Dest | None
    conditions: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()

    @property
    def guarded(self) -> bool:
        return bool(self.conditions or self.unless)

    def __str__(self) -> str:
        dest = "(stays)" if self.dest is None else self.dest.name if isinstance(self.dest, Dest) else self.dest
        return f"{trigger_name(self.trigger)}: {', '.join(self.sources)} -> {dest}"


@dataclass(frozen=True)
class Table:
    """The checked table of one class."""

    states: tuple[str, ...]
    initial: str
    rows: tuple[Row, ...]
    hot: frozenset[str]
    must: tuple[str, ...]
    may: tuple[str, ...]
    timers: tuple[str, ...]
    fields: dict[str, Value]
    """Field name -> default, `REQUIRED` without one, in the order of declaration."""
    durable: frozenset[str]
    owes: str  # the field that holds the keys of what is owed, or empty
    on_enter: Callbacks
    on_exit: Callbacks
    left: dict[str, str]
    """Bounded move -> the field that says how often it may still be made, which is not the user's and survives a crash."""
    missing: tuple[str, ...] = ()
    """One line for each callback that is named but not there: subclasses may bring them, and a class is used with all
    of them only."""

    @property
    def triggers(self) -> tuple[Trigger, ...]:
        return tuple(dict.fromkeys(row.trigger for row in self.rows))


REQUIRED = object()


def trigger_name(trigger: Trigger) -> str:
    return trigger if isinstance(trigger, str) else trigger.__name__
