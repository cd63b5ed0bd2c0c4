"""Uniform random: every enabled action is as likely as every other."""

from __future__ import annotations

from sim.base.mixer import derive
from sim.graph.action import Action
from sim.graph.graph import Graph, Start, State
from sim.strategy.base import base_of, choose_start, least_moving


class Uniform:
    """Picks uniformly among the enabled actions, faults within the budget included; ends where none is
    enabled that changes the state."""

    name = "uniform"
    now_ms = None

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self._picks = derive(seed, self.name)

    def begin(self, graph: Graph) -> Start:
        self._graph = graph
        self._step = 0
        return choose_start(graph, self.seed)

    def pick(self, state: State) -> Action | None:
        base = base_of(self._picks, self._step)
        self._step += 1
        return least_moving(self._graph, state, self._graph.enabled(state), base)

    def took(self, action: Action) -> None:
        """Nothing to remember: a pick depends on seed, step and the enabled actions only."""
