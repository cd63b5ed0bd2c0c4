"""Which rows a configuration can take, once all its states are known."""

from __future__ import annotations

from sim.base.values import Fault
from sim.graph.graph import Graph
from sim.machine.table import Row


def rows_within_reach(graph: Graph) -> list[str]:
    """The names of the rows whose state some instance came into, and whose message, timer or move was ever there."""
    tables = graph.tables
    states: dict[str, set[str]] = {}
    there: dict[str, set[object]] = {}
    for index, value in tables.locals.things:
        name = graph.names[index]
        states.setdefault(name, set()).add(value.state)
        there.setdefault(name, set()).update(value.timers)
    for envelope in tables.envelopes.things:
        there.setdefault(envelope.target, set()).add(type(envelope.message))
    found: dict[str, None] = {}
    for name, process in graph.system.processes.items():
        rows = {row.index: row for row in type(process).table.rows}
        timers = type(process).table.timers
        for (owner, index), text in graph.rows.items():
            if owner == name and _could_be(rows[index], states.get(name, set()), there.get(name, set()), timers):
                found[text] = None
    return list(found)


def _could_be(row: Row, states: set[str], there: set[object], timers: tuple[str, ...]) -> bool:
    if states.isdisjoint(row.sources):
        return False
    trigger = row.trigger
    if isinstance(trigger, str):
        return trigger not in timers or trigger in there
    return issubclass(trigger, Fault) or trigger in there
