"""The table of an actor as it is drawn: its states, and the rows that lead from one to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class DiagramRow:
    """One row of a table."""

    index: int
    """Its number in the table."""
    trigger: str
    sources: tuple[str, ...]
    dest: str | None
    """A state; `=` leaves and enters the same again, None stays in it."""
    conditions: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    handling: Literal["taken", "ignored", "deferred"] = "taken"
    """What becomes of the input."""


@dataclass(frozen=True)
class Diagram:
    """The table of one class, and the actors that are of it."""

    name: str
    actors: tuple[str, ...]
    listens: bool
    """Whether it only listens, as a monitor does."""
    states: tuple[str, ...]
    """The initial state first."""
    hot: frozenset[str]
    rows: tuple[DiagramRow, ...]
