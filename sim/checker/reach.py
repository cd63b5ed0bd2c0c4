"""Which rows a configuration can take, once all its states are known."""

from __future__ import annotations

from sim.base.values import Fault
from sim.graph.action import UPDATED
from sim.graph.graph import Graph
from sim.machine.table import Row


def rows_within_reach(graph: Graph) -> list[str]:
    """The names of the rows whose state some instance came into, and whose message, timer or move was ever there."""
    tables = graph.tables
    states: dict[str, set[str]] = {}
    there: dict[str, set[object]] = {}
    for index, value in tables.locals.things:
        name = tables.called[index] + (UPDATED if index >= len(tables.names) else "")
        states.setdefault(name, set()).add(value.state)
        there.setdefault(name, set()).update(value.timers)
    for envelope in tables.envelopes.things:
        for name in (envelope.target, envelope.target + UPDATED):
            there.setdefault(name, set()).add(type(envelope.message))
    processes = {**graph.system.processes, **{name + UPDATED: p for name, p in graph.system.updates.items()}}
    found: dict[str, None] = {}
    for (owner, index), text in graph.rows.items():
        table = type(processes[owner]).table
        row = next(one for one in table.rows if one.index == index)
        if _could_be(row, states.get(owner, set()), there.get(owner, set()), table.timers):
            found[text] = None
    return list(found)


def _could_be(row: Row, states: set[str], there: set[object], timers: tuple[str, ...]) -> bool:
    if states.isdisjoint(row.sources):
        return False
    trigger = row.trigger
    if isinstance(trigger, str):
        return trigger not in timers or trigger in there
    return issubclass(trigger, Fault) or trigger in there
