"""A run as a story: who took part, what each step did, in words, and the way of every message to its end.

A world tells it; text, pages and exports are written from it, so that all of them tell the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import NamedTuple

from sim.world.diagram import Diagram
from sim.world.slowdown import Slowdown


@dataclass(frozen=True)
class Actor:
    """Somebody who takes part."""

    name: str
    listens: bool = False
    """Whether it only listens, as a monitor does: it takes no step of its own and gets no message."""
    diagram: int | None = None
    """Its place in `Story.diagrams`."""


@dataclass(frozen=True)
class Shown:
    """A field of an actor, as text."""

    name: str
    text: str
    parts: tuple[tuple[str, str], ...] | None = None
    """The fields of a record, spelt out; None if the value is not a record."""
    worded: tuple[str, ...] = ()
    """Its parts that are told in words of their own; its own name, if all of it is."""


@dataclass(frozen=True)
class Look:
    """What is to be seen of an actor while nothing happens to it."""

    state: str
    fields: tuple[Shown, ...] = ()
    timers: tuple[str, ...] = ()
    """Those that are armed."""
    hot: bool = False
    """Whether it must not stay so forever."""
    up: bool = True


class Fate(Enum):
    """What became of a message; the values are the words for it."""

    DELIVERED = "delivered"
    STRUCK = "struck by a fault, and still in flight"
    LOST = "lost"
    REPLACED = "replaced by a newer one"
    OPEN = "still in flight at the end"


class Journey(NamedTuple):
    """A message on its way: sent in step `sent` (0 is the start), at its end in step `ended`. A copy begins
    with the step that made it."""

    source: str
    target: str
    name: str
    text: str
    sent: int
    copied: bool = False
    ended: int | None = None
    fate: Fate = Fate.OPEN
    beside: int | None = None
    """The journey beside which this one went: of the same message, which is also still in flight."""


@dataclass(frozen=True)
class Beginning:
    """What an actor did when it was started."""

    actor: str
    sent: tuple[str, ...] = ()
    """Messages and whom they go to: `Ask(round=1) to gemini`."""
    emitted: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    """What is known of it from before, where the run goes on: `goes on in asking`, `had sent Ask(round=1) to gemini`."""


def who_and_what(text: str, process: str = "") -> tuple[str, str]:
    """The columns of a trace, of a text as a world tells it; `process` acts where the text does not set it apart. Of
    `gemini -> coordinator  Answer()` it is the coordinator, to whom it comes."""
    who, gap, what = text.partition("  ")
    source, arrow, target = who.partition(" -> ")
    if gap and arrow:
        return target, f"from {source}: {what}"
    if gap:
        return who, what
    return process, text.removeprefix(f"{process} ") if process else text


class Happening(NamedTuple):
    """One step; number 0 is the start of all. `journey` is what it took from the network (or, under a fault, what it
    struck), `sent` what it put there: indices of `Story.journeys`."""

    number: int
    time_ms: int | None
    kind: str
    """The verb of its address."""
    process: str
    """Who acted; empty if nobody did."""
    text: str
    address: str
    journey: int | None = None
    sent: tuple[int, ...] = ()
    faults: tuple[str, ...] = ()
    changed: tuple[tuple[int, int], ...] = ()
    """Actors that look different, and how: indices of `Story.actors` and `Story.looks`."""
    notes: tuple[str, ...] = ()
    emitted: tuple[str, ...] = ()
    rejected: tuple[str, ...] = ()
    """Why inputs were rejected: `stale: key=(1, gemini)`."""
    rows: tuple[tuple[int, int], ...] = ()
    """Rows of diagrams that were taken: actor, row."""
    within: int | None = None
    """The step of the run that it is part of, where a step may be several of these; None: the step of its number."""

    @property
    def step(self) -> int:
        """The step of the run in which it happened; 0 is the start of all."""
        return self.number if self.within is None else self.within

    @property
    def said(self) -> tuple[str, str]:
        """Who acted, and what was done."""
        return who_and_what(self.text, self.process)


@dataclass(frozen=True)
class Story:
    """All of a run, in order. A world without fields, timers, monitors or tables leaves out what they would fill."""

    network: str
    """What kind of network it was, in a word."""
    actors: tuple[Actor, ...]
    """Those that only listen come last."""
    looks: tuple[Look, ...]
    """All looks that there were, each once."""
    first: tuple[int, ...]
    """How each actor looked at the beginning."""
    events: tuple[Happening, ...]
    """The start, then every step."""
    journeys: tuple[Journey, ...] = ()
    began: tuple[Beginning, ...] = ()
    slowdowns: tuple[Slowdown, ...] = ()
    diagrams: tuple[Diagram, ...] = ()

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of all actors."""
        return tuple(actor.name for actor in self.actors)

    @cached_property
    def processes(self) -> tuple[str, ...]:
        """The names of those that do more than listen; they come first."""
        return tuple(actor.name for actor in self.actors if not actor.listens)
