"""Events: what strategies that consider causes and effects order. A message sent, a timer armed, a
spontaneous move that has become enabled, a restart that is owed, a cut to be healed: each is an event from
when it is made until it happens or is void, and knows which events it follows from."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any

from sim.world.choice import CUT, FIRE, MESSAGE, Choice, Pending, Start, Subject
from sim.world.world import AnyWorld


def grouped(choices: Iterable[Choice]) -> dict[Subject, list[Choice]]:
    """Choices by what they happen to."""
    found: dict[Subject, list[Choice]] = {}
    for choice in choices:
        subject = choice.takes
        if subject in found:
            found[subject].append(choice)
        else:
            found[subject] = [choice]
    return found


def least_key(ways: Iterable[Choice]) -> int:
    """What events are ordered by: the same however their ways are listed."""
    return min(choice.key for choice in ways)


NOTHING = -1

Parted = tuple[Sequence[Pending], dict[Subject, Pending]]
NOTHING_DUE: Parted = ((), {})


class Events:
    """The events of one run so far, by number in the order of making (from 0), and those still pending."""

    def __init__(self, world: AnyWorld, start: Start[Any]) -> None:
        self._world = world
        self.parents: list[int] = []
        """The event that brought each about (`NOTHING` if none did): it follows from that one and from all that one
        follows from."""
        self.apart: list[bool] = []
        """Whether it follows from what the same did before, and from nothing else."""
        self.pending: dict[Subject, deque[int]] = {}
        """Those that are not over, the next first; perhaps none."""
        self._own: dict[str, dict[Subject, None]] = {}
        """What each process has pending besides messages."""
        self._last: dict[Subject, int] = {}
        """The last event of each that is apart."""
        self._note(*_parted(world.due(start, start.place)), NOTHING)

    def make(self, subject: Subject, parent: int = NOTHING, *, apart: bool = False) -> int:
        """A new event. One that is taken again (a message that stays in flight forever) is a separate event."""
        number = len(self.parents)
        self.parents.append(self._last.setdefault(subject, NOTHING) if apart else parent)
        self.apart.append(apart)
        pending = self.pending.get(subject)
        if pending is None:
            self.pending[subject] = deque((number,))
        else:
            pending.append(number)
        return number

    def took(self, choice: Choice, at: Any) -> None:
        """`choice` was taken: its event is over, what it brought about is new."""
        over = NOTHING
        pending = self.pending.get(choice.takes)
        if pending and choice.ends:
            over = pending.popleft()
        due = self._world.due(choice, at)
        sent, own = _parted(due) if due else NOTHING_DUE
        if choice.takes in self._last:
            self._last[choice.takes] = over
        for mover in choice.movers:
            known = self._own.get(mover)
            if known:
                for subject in [subject for subject in known if subject not in own]:
                    del known[subject]
                    self.pending.pop(subject, None)
        self._note(sent, own, over)

    def _note(self, sent: Sequence[Pending], own: dict[Subject, Pending], parent: int) -> None:
        """What is pending now: new events for what is new, or counts anew. Messages come first, then each process by
        its number, its timers by name."""
        for pending in sent:
            self.make(pending.subject, parent, apart=pending.apart)
        for subject in sorted(own, key=_order) if own else ():
            pending = own[subject]
            if pending.again or not self.pending.get(subject):
                if subject[0] != CUT:
                    self.pending[subject] = deque()
                    self._own.setdefault(pending.owner, {})[subject] = None
                self.make(subject, parent, apart=pending.apart)

    @property
    def width(self) -> int:
        """The largest number of events none of which follows from another. Every event is brought about by
        one other at most, so these are the events that nothing follows from."""
        return len(self.parents) - len({*self.parents} - {NOTHING})


def _parted(due: Sequence[Pending]) -> Parted:
    """The messages of what is pending, and what is ready of everything else."""
    sent: list[Pending] = []
    own: dict[Subject, Pending] = {}
    for pending in due:
        if pending.subject[0] == MESSAGE:
            sent.append(pending)
        elif pending.ready:
            own[pending.subject] = pending
    return sent, own


def _order(subject: Subject) -> tuple[int, bool, str]:
    kind, number, name = subject
    return number, kind != FIRE, name if kind == FIRE else ""
