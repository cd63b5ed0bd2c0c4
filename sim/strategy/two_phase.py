"""Two phases, as TigerBeetle's simulator judges liveness: faults until the budget is spent, then a healthy
core, which must finish. While faults strike, nothing can be asked of progress; once they have stopped,
everything can."""

from __future__ import annotations

from collections.abc import Callable

from sim.graph.action import Action
from sim.graph.graph import Graph, Start, State
from sim.strategy.base import Strategy
from sim.strategy.canonical import Canonical
from sim.strategy.uniform import Uniform

STORM_STEPS = 200


class TwoPhase:
    """First what `storm` picks (uniformly, unless another untimed strategy is given), faults included,
    until the fault budget is spent, or `storm_steps` steps; then the canonical order to quiescence: cuts are
    healed, what is down restarts, no fault strikes, the environment does nothing more.

    Whether the core finished is what the system's own properties say at the end: hot states, `eventually`.
    """

    name = "two_phase"
    now_ms = None

    def __init__(
        self, seed: int = 0, *, storm: Callable[[int], Strategy] = Uniform, storm_steps: int = STORM_STEPS
    ) -> None:
        self.seed = seed
        self.storm_steps = storm_steps
        self._storm = storm(seed)

    def begin(self, graph: Graph) -> Start:
        self._graph = graph
        self._stormy = True
        self._step = 0
        self._calm = Canonical()
        start = self._storm.begin(graph)
        self._calm.begin(graph, start)
        return start

    def pick(self, state: State) -> Action | None:
        self._state = state
        self._stormy = self._stormy and self._step < self.storm_steps and self._graph.has_budget(state)
        self._step += 1
        if self._stormy:
            action = self._storm.pick(state)
            if action is not None:
                return action
            self._stormy = False
        return self._calm.pick(state)

    def took(self, action: Action) -> None:
        if self._stormy:
            self._storm.took(action)
            self._calm.follow(self._state, action)
        else:
            self._calm.took(action)
