"""What schedules covered: distinct states, rows of the tables, and an estimate of what is still unseen."""

from __future__ import annotations

from collections.abc import Iterable

from sim.action import Action
from sim.graph import Graph, State
from sim.table import DEFER, Row
from sim.trace import Run


class Coverage:
    """The states and transitions that the schedules so far have visited."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._once: dict[State, bool] = {}
        """State -> whether just one schedule came by."""
        self._visits = 0
        self._taken: dict[Action, None] = {}
        self._held: dict[str, bool] = {p.name: False for p in graph.system.properties if p.kind == "sometimes"}

    def note(self, seen: Iterable[State], run: Run) -> None:
        """A schedule visited these distinct states."""
        once = self._once
        for state in seen:
            self._visits += 1
            once[state] = state not in once
        taken = self._taken
        for _, action in run.trace.steps:
            taken[action] = None
        for name in self._held:
            self._held[name] = self._held[name] or run.reached[name]

    @property
    def states(self) -> int:
        """Distinct states."""
        return len(self._once)

    @property
    def unseen(self) -> tuple[int, int]:
        """The share, as a ratio, of a further schedule's states that would be new: the estimate of Good
        and Turing, with schedules as samples (states that one schedule visited, all visits)."""
        return sum(self._once.values()), self._visits

    @property
    def unreached(self) -> list[str]:
        """The `sometimes` properties that held in no state."""
        return [name for name, held in self._held.items() if not held]

    @property
    def transitions(self) -> tuple[int, int]:
        """Rows taken, and rows declared, over all processes; a row that defers is never taken."""
        return transitions(self._graph, self._taken)

    @property
    def untaken(self) -> list[str]:
        """The rows that no schedule took: `coordinator  Response: stopped -> (stays)`."""
        return untaken(self._graph, self._taken)


def transitions(graph: Graph, actions: Iterable[Action]) -> tuple[int, int]:
    """Rows taken by these actions, and rows declared, over all processes; a row that defers is never taken."""
    declared = _declared(graph)
    return len(declared) - len(untaken(graph, actions)), len(declared)


def untaken(graph: Graph, actions: Iterable[Action]) -> list[str]:
    """The rows that none of these actions took: `coordinator  Response: stopped -> (stays)`."""
    taken = {(action.process, action.row.index) for action in actions if action.row is not None}
    return [_name(process, row) for process, row in _declared(graph) if (process, row.index) not in taken]


def _declared(graph: Graph) -> list[tuple[str, Row]]:
    processes = graph.system.processes.items()
    return [(name, row) for name, process in processes for row in type(process).table.rows if row.dest is not DEFER]


def _name(process: str, row: Row) -> str:
    guards = [*row.conditions, *(f"not {name}" for name in row.unless)]
    return f"{process}  {row}" + (f" if {', '.join(guards)}" if guards else "")
