"""Events: what strategies that consider causes and effects order. A message sent, a timer armed, a
spontaneous move that has become enabled, a restart that is owed, a cut to be healed: each is an event from
when it is made until it happens or is void, and knows which events it follows from."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from sim.world.choice import CUT, FIRE, MESSAGE, Choice, Pending, Start, Subject
from sim.world.world import AnyWorld


def grouped(choices: Sequence[Choice]) -> list[list[Choice]]:
    """The choices without a fault, by what they happen to, in the order of their keys."""
    found: dict[Subject, list[Choice]] = {}
    for choice in sorted([c for c in choices if not c.strikes], key=_KEY):
        found.setdefault(choice.takes, []).append(choice)
    return list(found.values())


_KEY = attrgetter("key")


class Event(NamedTuple):
    """One event: its number in the order of making (from 0), and the number of the event that brought it about
    (`NOTHING` if none did): it follows from that one and from all that one follows from."""

    number: int
    parent: int


NOTHING = -1


class Events:
    """The events of one run so far, and those still pending."""

    def __init__(self, world: AnyWorld, start: Start[Any]) -> None:
        self._world = world
        self.made: list[Event] = []
        self._pending: dict[Subject, deque[Event]] = {}
        self._own: dict[str, dict[Subject, None]] = {}
        """What each process has pending besides messages."""
        due = world.due(start, start.place)
        self._note(due, NOTHING)

    def of(self, choice: Choice) -> Event:
        """The event that `choice` would take; one that is taken again (a message that stays in flight forever) is a
        separate event."""
        pending = self._pending.get(choice.takes)
        return pending[0] if pending else self._make(choice.takes, NOTHING)

    def took(self, choice: Choice, at: Any) -> None:
        """`choice` was taken: its event is over, what it brought about is new."""
        over = NOTHING
        pending = self._pending.get(choice.takes)
        if pending and choice.ends:
            over = pending.popleft().number
        due = self._world.due(choice, at)
        for mover in choice.movers:
            if not self._own.get(mover):
                continue
            own = {p.subject for p in due if p.owner == mover and p.subject[0] != MESSAGE and p.ready}
            for subject in [s for s in self._own.get(mover, ()) if s not in own]:
                del self._own[mover][subject]
                self._pending.pop(subject, None)
        self._note(due, over)

    def _note(self, due: Sequence[Pending], parent: int) -> None:
        """What is pending now: new events for what is new, or counts anew. Messages come first, then each process by
        its number, its timers by name."""
        for pending in due:
            if pending.subject[0] == MESSAGE:
                self._make(pending.subject, parent)
        own = {pending.subject: pending for pending in due if pending.subject[0] != MESSAGE and pending.ready}
        for subject, pending in sorted(own.items(), key=_order) if own else ():
            if not self._pending.get(subject) or pending.again:
                if subject[0] != CUT:
                    self._pending[subject] = deque()
                    self._own.setdefault(pending.owner, {})[subject] = None
                self._make(subject, parent)

    def _make(self, subject: Subject, parent: int) -> Event:
        event = Event(len(self.made), parent)
        self.made.append(event)
        self._pending.setdefault(subject, deque()).append(event)
        return event

    @property
    def width(self) -> int:
        """The largest number of events none of which follows from another. Every event is brought about by
        one other at most, so these are the events that nothing follows from."""
        return len(self.made) - len({event.parent for event in self.made} - {NOTHING})


def _order(item: tuple[Subject, Pending]) -> tuple[int, bool, str]:
    kind, number, name = item[0]
    return number, kind != FIRE, name if kind == FIRE else ""
