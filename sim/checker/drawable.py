"""A graph that is small enough to be drawn, in words; and what a check has met of every machine, however large it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sim.base.values import show
from sim.graph.graph import Graph
from sim.graph.state import State
from sim.graph.teller import action_text, look_of
from sim.run.simulation import simulate
from sim.strategy.replay import Replay
from sim.world.finding import Finding
from sim.world.story import Look

STATES_MAX = 300
"""Of a larger graph nothing could be made out."""


@dataclass(frozen=True)
class DrawnState:
    """A state: after how many steps it is met first, how each machine looks in it, and what is in flight."""

    depth: int
    looks: tuple[int, ...]
    flying: tuple[str, ...]
    finding: Finding | None
    """What is wrong in it, or with resting in it."""
    rests: bool


@dataclass(frozen=True)
class DrawnGraph:
    """All states, in the order in which they are met; node 0 is an initial one."""

    states: tuple[DrawnState, ...]
    looks: tuple[Look, ...]
    edges: tuple[tuple[int, int, str], ...]
    """From which state to which other, and what is done."""
    path: tuple[int, ...]
    """The states of the run that is shown."""


@dataclass(frozen=True)
class Covered:
    """What a check has met of a process: its states, and how many different steps took a row from a state."""

    process: str
    states: frozenset[str]
    rows: tuple[tuple[int, str, int], ...]
    """Row, the state it is taken in, and by how many actions."""


def drawn_graph(system_graph: Graph, schedule: Sequence[str] | None) -> DrawnGraph | None:
    """The graph of a system whose run of this `schedule` is shown; None if it has more than `STATES_MAX` states."""
    graph = Graph(system_graph.system)  # what a check has met is not added to
    explored = _Explored(graph)
    if not explored.is_small():
        return None
    run = [] if schedule is None else simulate(graph, Replay(schedule)).trace.places()
    return DrawnGraph(
        tuple(explored.drawn(state) for state in explored.depths),
        tuple(explored.looks),
        tuple(explored.edges),
        tuple(explored.numbers[state] for state in run if state in explored.numbers),
    )


def covered(graph: Graph) -> list[Covered]:
    """What was met of each process in what was asked of this graph so far."""
    tables = graph.tables
    states: dict[str, set[str]] = {name: set() for name in graph.system.processes}
    for index, value in tables.locals.things:
        name = tables.called[index]
        if index < len(tables.names) and name in states:
            states[name].add(value.state)
    taken: dict[str, dict[tuple[int, str], int]] = {name: {} for name in states}
    for action in graph.met():
        if action.covers is not None and action.covers[0] in taken:
            name, row = action.covers
            key = row, tables.view(action.before).state
            taken[name][key] = taken[name].get(key, 0) + 1
    return [
        Covered(name, frozenset(states[name]), tuple((*key, n) for key, n in sorted(taken[name].items())))
        for name in states
    ]


class _Explored:
    """Breadth first, in the order of canonical encodings: one system has one drawing."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self.depths: dict[State, int] = dict.fromkeys(graph.initial(), 0)
        self.numbers: dict[State, int] = {}
        self.edges: list[tuple[int, int, str]] = []
        self.looks: list[Look] = []
        self._look_numbers: dict[int, int] = {}
        self._within = graph.judged_within

    def is_small(self) -> bool:
        """Explores all states, unless there are too many."""
        edges: list[tuple[State, State, str]] = []
        waiting = [*self.depths]
        for state in waiting:
            if len(self.depths) > STATES_MAX:
                return False
            if not self._within(state) or self._graph.judge(state) is not None:
                continue
            for action in self._graph.actions(state):
                after = self._graph.apply(state, action)
                if after == state:
                    continue
                if after not in self.depths:
                    self.depths[after] = self.depths[state] + 1
                    waiting.append(after)
                edges.append((state, after, action_text(action)))
        self.numbers = {state: number for number, state in enumerate(self.depths)}
        self.edges = [(self.numbers[a], self.numbers[b], text) for a, b, text in edges]
        return len(self.depths) <= STATES_MAX

    def drawn(self, state: State) -> DrawnState:
        graph = self._graph
        envelopes = [graph.tables.envelopes.things[e] for e in graph.network.every(state.net)]
        flying = tuple(f"{one.source} -> {one.target}  {show(one.message)}" for one in envelopes)
        finding = graph.judge(state)
        rests = finding is None and graph.quiescent(state)
        if rests:
            finding = graph.rest(state)
        return DrawnState(self.depths[state], tuple(map(self._look, state.locals)), flying, finding, rests)

    def _look(self, local: int) -> int:
        if local not in self._look_numbers:
            self._look_numbers[local] = len(self.looks)
            self.looks.append(look_of(self._graph, local))
        return self._look_numbers[local]
