"""Virtual time with faults at random moments: what a fuzz wants of a timed run, where a run with a plan
strikes at the first opportunities."""

from __future__ import annotations

from sim.graph.action import Action
from sim.graph.graph import Graph, Start, State
from sim.strategy.canonical import usual_length
from sim.strategy.strikes import Strikes
from sim.strategy.virtual_time import VirtualTime


class Timed(VirtualTime):
    """Picks what is due next on a virtual clock; the faults of the budget strike at random moments."""

    name = "timed"

    def begin(self, graph: Graph, start: Start | None = None) -> Start:
        self._strikes = Strikes(graph, self.seed, usual_length(graph))
        return super().begin(graph, start)

    def _fault(self, state: State, action: Action) -> Action | None:
        return self._strikes.strike(self._step - 1, self._graph.faults(state, [action]))
