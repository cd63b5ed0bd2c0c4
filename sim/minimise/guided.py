"""Runs that follow a guide as far as it fits: how the minimiser tries its edits."""

from __future__ import annotations

from collections.abc import Sequence

from sim.graph.action import Action
from sim.graph.graph import Graph, Start, State
from sim.minimise.deviations import is_plain
from sim.strategy.canonical import Canonical
from sim.strategy.events import Subject, subject


class GuideItem:
    """One item of a guided run: an action, or what it happens to in its plain way."""

    def __init__(self, action: Action, *, plain: bool = False) -> None:
        self.action = action
        self.plain = plain

    def find(self, graph: Graph, state: State) -> Action | None:
        """The enabled action that this item means, or else one that is alike."""
        if self.plain:
            mine = subject(self.action)
            ways = [a for a in graph.enabled(state) if is_plain(a) and subject(a) == mine]
            return min(ways, key=lambda a: (a.choices != ways[0].choices, a.code)) if ways else None
        key, code = self.action.key, self.action.code
        enabled = graph.enabled(state)
        same = next((a for a in enabled if a.key == key and a.code == code), None)
        return same or next((a for a in enabled if is_alike(a, self.action)), None)


def is_alike(one: Action, other: Action) -> bool:
    """Whether two actions are the same but for the fields of the message: what went before may have been
    different, as when another verdict is on its way from and to the same processes."""
    return _kind(one) == _kind(other)


def _kind(action: Action) -> tuple[object, ...]:
    envelope = action.envelope
    message = (envelope.source, envelope.target, type(envelope.message)) if envelope is not None else None
    crash = None if action.window is None else (action.window, action.address.crashing)
    fault = type(action.fault)
    return action.kind, message, action.process, action.subject, fault, action.reordered, action.choices, crash


class Guided:
    """Takes the items that fit, in this order, leaves out the others, then goes on as usual; what is
    `held` comes only when nothing else is due."""

    name = "guided"
    seed = 0
    now_ms = None

    def __init__(self, start: Start, items: Sequence[GuideItem], held: frozenset[Subject] = frozenset()) -> None:
        self._begin = start
        self._items = items
        self._held = held

    def begin(self, graph: Graph) -> Start:
        self._graph = graph
        self._at = 0
        self._usual = Canonical()
        self._usual.begin(graph, self._begin)
        self._state = self._begin.state
        return self._begin

    def pick(self, state: State) -> Action | None:
        self._state = state
        while self._at < len(self._items):
            self._at += 1
            found = self._items[self._at - 1].find(self._graph, state)
            if found is not None:
                return found
        due = [ways[0] for ways in self._usual.due(state)]
        return next((action for action in due if subject(action) not in self._held), due[0] if due else None)

    def took(self, action: Action) -> None:
        self._usual.follow(self._state, action)
