"""Events: what strategies order that think in causes and effects. A message sent, a timer armed, a
spontaneous move that has become enabled, a restart that is owed, a cut to be healed: each is an event from
when it is made until it happens or is void, and knows which events it follows from."""

from __future__ import annotations

from typing import NamedTuple

from sim.graph.action import Action, Kind
from sim.graph.graph import Graph, Start

Subject = tuple[str, int, str]
"""What an action happens to, whichever of its ways it goes."""


def subject(action: Action) -> Subject:
    """What an action happens to: an envelope, a timer, a move, a process, a cut."""
    if action.kind in (Kind.DELIVER, Kind.DROP, Kind.DUPLICATE):
        return ("envelope", action.envelope_id, "")
    if action.kind in (Kind.CUT, Kind.HEAL):
        return ("cut", action.cut_index, "")
    return (action.kind.value, action.process_index, action.subject)


def grouped(actions: list[Action]) -> list[list[Action]]:
    """The actions that are no faults, by what they happen to, in the order of their keys."""
    found: dict[Subject, list[Action]] = {}
    for action in sorted((a for a in actions if not a.entries), key=lambda a: a.key):
        found.setdefault(subject(action), []).append(action)
    return list(found.values())


class Event(NamedTuple):
    """One event: its number in the order of making (from 0), and the events that it follows from, as a
    set of bits by number."""

    number: int
    follows: int


class Events:
    """The events of one run so far, and those still pending."""

    def __init__(self, graph: Graph, start: Start) -> None:
        self._graph = graph
        self.made: list[Event] = []
        self._pending: dict[Subject, list[Event]] = {}
        for envelope in start.sends:
            self._make(("envelope", envelope, ""), 0)
        for process in range(graph.width):
            self._own(process, start.state.locals[process], 0, ())

    def of(self, action: Action) -> Event:
        """The event that `action` would take; one that is taken once more (a message that is there for
        ever) is an event of its own."""
        pending = self._pending.get(subject(action))
        return pending[0] if pending else self._make(subject(action), 0)

    def took(self, action: Action) -> None:
        """`action` was taken: its event is over, what it brought about is new."""
        over = 0
        pending = self._pending.get(subject(action))
        if pending and (action.consumed >= 0 or action.envelope_id < 0):
            event = pending.pop(0)
            over = event.follows | (1 << event.number)
        for envelope in action.sends:
            self._make(("envelope", envelope, ""), over)
        if action.process_index >= 0:
            self._own(action.process_index, action.local, over, tuple(arm.timer for arm in action.arms))
        if action.kind is Kind.CUT:
            self._make(subject(action), over)

    def _own(self, process: int, local: int, follows: int, armed: tuple[str, ...]) -> None:
        """What the process can do by itself now: new events for what is new, or armed anew."""
        now = dict.fromkeys(subject(action) for action in self._graph.tables.own_actions(local))
        for known in [s for s in self._pending if s[0] in _OWN and s[1] == process and s not in now]:
            del self._pending[known]
        for one in now:
            if not self._pending.get(one) or (one[0] == Kind.FIRE.value and one[2] in armed):
                self._pending[one] = []
                self._make(one, follows)

    def _make(self, one: Subject, follows: int) -> Event:
        event = Event(len(self.made), follows)
        self.made.append(event)
        self._pending.setdefault(one, []).append(event)
        return event

    @property
    def width(self) -> int:
        """The largest number of events none of which follows from another. Every event is brought about by
        one other at most, so these are the events that nothing follows from."""
        causes = 0
        for event in self.made:
            causes |= event.follows
        return sum(1 for event in self.made if not causes >> event.number & 1)


_OWN = (Kind.FIRE.value, Kind.MOVE.value, Kind.RESTART.value)
