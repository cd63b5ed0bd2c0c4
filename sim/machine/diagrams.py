"""What is drawn of machines: their tables, without what only a handler needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from sim.machine.process import Monitor, StateMachine
from sim.machine.table import DEFER, IGNORE, Row, trigger_name
from sim.world.diagram import Diagram, DiagramRow


def diagrams(machines: Mapping[str, StateMachine]) -> tuple[Diagram, ...]:
    """A diagram for each class of these machines, in the order in which they are named."""
    classes: dict[type[StateMachine], list[str]] = {}
    for name, machine in machines.items():
        classes.setdefault(type(machine), []).append(name)
    return tuple(_diagram(cls, {name: machines[name] for name in names}) for cls, names in classes.items())


def _diagram(cls: type[StateMachine], machines: Mapping[str, StateMachine]) -> Diagram:
    table = cls.table
    begin = {machine.state: None for machine in machines.values()}
    initial = table.initial if len(begin) > 1 else next(iter(begin))  # where they differ, as the class says
    states = (initial, *(state for state in table.states if state != initial))
    return Diagram(
        cls.__name__, tuple(machines), issubclass(cls, Monitor), states, table.hot, tuple(map(_row, table.rows))
    )


def _row(row: Row) -> DiagramRow:
    handling: Literal["taken", "ignored", "deferred"] = "taken"
    if row.dest is IGNORE:
        handling = "ignored"
    elif row.dest is DEFER:
        handling = "deferred"
    dest = row.dest if isinstance(row.dest, str) else None
    return DiagramRow(row.index, trigger_name(row.trigger), row.sources, dest, row.conditions, row.unless, handling)
