"""What could be on a cycle at all, found from the rows of the processes: without looking at a single state.

On a cycle every local value comes back, and so does what is in flight. So an action can be on one only if its process can
come back from where it leads, if every monitor can that hears it, if somebody on the cycle sends what it consumes, and
somebody there consumes what it sends. What fails one of these is taken away, until nothing more does; if nothing is
left there is no cycle. (In Petri nets what remains is where a T-invariant could be.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sim.checker.explored import TimeIsUp, connected
from sim.graph.action import Action
from sim.graph.graph import Graph
from sim.graph.tabulation import Tabulation


class Recurrence:
    """What could be on a cycle of a graph, as far as its rows are known. Raises `TimeIsUp` when that is said."""

    def __init__(self, graph: Graph, time_is_up: Callable[[], bool] = bool) -> None:
        self._graph, self._time_is_up = graph, time_is_up
        rows = (*graph.tables.deliveries.values(), *graph.tables.own.values())
        self._every = self._left([action for row in rows for action in row if action.progress], None)

    @property
    def is_possible(self) -> bool:
        """Whether there could be any cycle."""
        return bool(self._every)

    def holding(self, machine: int, values: set[int]) -> bool:
        """Whether there could be one on which a machine keeps to these local values."""
        return bool(self._left(self._every, (machine, values)))

    def _left(self, actions: list[Action], kept: tuple[int, set[int]] | None) -> list[Action]:
        tables = self._graph.tables
        hearing = _hearing(tables)
        while True:
            if self._time_is_up():
                raise TimeIsUp
            heard = {emission for action in actions for emission in action.effect.heard}
            edges = [(a.before, a.effect.local) for a in actions]
            edges += [edge for emission in heard for _, edge in hearing.get(emission, ())]
            turning = _turning(edges if kept is None else [e for e in edges if _keeps(tables, kept, e)])
            mute = {e for e in heard if not _is_heard(tables, e, hearing.get(e, []), turning)}
            left = [a for a in actions if (a.before, a.effect.local) in turning and mute.isdisjoint(a.effect.heard)]
            left = self._in_balance(left)
            if len(left) == len(actions):
                return left
            actions = left

    def _in_balance(self, actions: list[Action]) -> list[Action]:
        """Those that consume only what these send, and send only what these consume."""
        kind = self._graph.tables.kind
        sent = {e for a in actions for e in a.effect.sends}
        sent |= {e for e, of in enumerate(kind) if of == "set"} | {-1}  # what was sent there stays
        gone = {a.effect.consumed for a in actions}
        gone |= {e for e, of in enumerate(kind) if of in ("set", "latest")}  # or it is replaced
        left = [a for a in actions if a.effect.consumed in sent]
        if not self._graph.lasting:  # what is sent to who is gone for good vanishes, and nobody consumes it
            left = [a for a in left if gone.issuperset(a.effect.sends)]

        def changes(action: Action) -> bool:
            moved = (*action.effect.sends, *([action.effect.consumed] if action.effect.consumed >= 0 else []))
            flying = any(kind[e] != "set" for e in moved)  # on a set it is there already
            return flying or action.before != action.effect.local or bool(action.effect.heard)

        return left if any(map(changes, left)) else []


def _hearing(tables: Tabulation) -> dict[int, list[tuple[int, tuple[int, int]]]]:
    """What monitors make of each emission, as far as they were asked: which of them, from which local value to which."""
    found: dict[int, list[tuple[int, tuple[int, int]]]] = {}
    for (local, emission), after in tables.monitor_rows.items():
        found.setdefault(emission, []).append((tables.locals.things[local][0], (local, after)))
    return found


def _keeps(tables: Tabulation, kept: tuple[int, set[int]], edge: tuple[int, int]) -> bool:
    machine, values = kept
    return all(tables.place[tables.locals.things[local][0]] != machine or local in values for local in edge)


def _is_heard(
    tables: Tabulation, emission: int, edges: list[tuple[int, tuple[int, int]]], turning: set[tuple[int, int]]
) -> bool:
    """Whether every monitor that listens to it can hear it and come back."""
    able = {monitor for monitor, edge in edges if edge in turning}
    return able.issuperset(tables.heard_by(emission))


def _turning(edges: Iterable[tuple[int, int]]) -> set[tuple[int, int]]:
    """The edges between local values from the end of which a way leads back to the beginning."""
    distinct = list(dict.fromkeys(edges))
    numbers: dict[int, int] = {}
    for edge in distinct:
        for local in edge:
            numbers.setdefault(local, len(numbers))
    out: list[list[int]] = [[] for _ in numbers]
    for before, after in distinct:
        out[numbers[before]].append(numbers[after])
    start, to = [0], []
    for targets in out:
        to += targets
        start.append(len(to))
    component = {n: i for i, members in enumerate(connected(start, to)) for n in members}
    return {
        (before, after)
        for before, after in distinct
        if before == after
        or (numbers[before] in component and component[numbers[before]] == component.get(numbers[after]))
    }
