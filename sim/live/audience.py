"""Who listens to a program: its monitors and ledgers, as those of a model do."""

from __future__ import annotations

from typing import Any

from sim.base.values import Emission
from sim.graph.graph import Graph
from sim.graph.state import State
from sim.system.declaration import Declaration
from sim.world.finding import Finding

Listening = tuple[int, ...]
"""The local values of all monitors."""


class Audience:
    """The monitors of a program. What they hear leads from one tuple of their values to another."""

    def __init__(self, listeners: Declaration) -> None:
        self._graph = Graph(listeners) if listeners.monitors else None
        self._state: State | None = self._graph.initial()[0] if self._graph is not None else None
        self.first: Listening = self._state.locals if self._state is not None else ()
        self.names = tuple(listeners.monitors)

    def hears(self, now: Listening, emission: Emission) -> Listening:
        """What they are after they have heard it."""
        graph = self._graph
        if graph is None:
            return now
        return graph.tables.notify(now, (graph.tables.emissions(emission),))

    def judge(self, now: Listening) -> Finding | None:
        """What one of them says is wrong."""
        return self._graph.judge(self._at(now)) if self._graph is not None else None

    def rest(self, now: Listening) -> Finding | None:
        """Which of them still waits."""
        return self._graph.rest(self._at(now)) if self._graph is not None else None

    def view(self, now: Listening, name: str) -> Any:
        """One of them, as a predicate sees it."""
        assert self._graph is not None
        return self._graph.tables.view(now[self._graph.tables.index[name]])

    def states(self, now: Listening) -> dict[str, str]:
        """The state of each."""
        return {name: self.view(now, name).state for name in self.names}

    def _at(self, now: Listening) -> State:
        assert self._state is not None
        return self._state._replace(locals=now)
