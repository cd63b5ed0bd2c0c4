"""On what the words of a check rest: what was judged, and what would be empty words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sim.base.errors import listing
from sim.graph.graph import Graph
from sim.machine.process import StateMachine
from sim.system.properties import IN_THE_END, STUCK

if TYPE_CHECKING:
    from sim.checker.result import CheckResult


def proved(result: CheckResult) -> list[str]:
    """What a complete check without a finding has shown, by name. Nothing is, that a run which never rests could violate,
    if cycles were not looked at; and nothing at all where no row was ever taken."""
    graph = result.graph
    if graph is None or result.verdict != "ok" or not takes_rows(result):
        return []
    cycles = not result.cycles_off
    system = graph.system
    names = [str(prop) for prop in system.properties if cycles or prop.kind not in IN_THE_END]
    names += [f"monitor {name}" for name in system.monitors if cycles or not _can_owe(graph, name)]
    stuck = ["never stuck"] if system.judges(STUCK) and cycles and (result.rests or result.cycles) else []
    return [*names, *stuck, "no unhandled input", "no exception in a handler"]


def takes_rows(result: CheckResult) -> bool:
    """Whether any row was taken at all."""
    return result.transitions[0] > 0


def assumed(graph: Graph) -> str:
    """What is assumed: of where it begins, if that is not the start; of runs that never end, beyond weak fairness. Empty if
    nothing is."""
    fairness = graph.fairness
    parts = ["it begins where it was persisted"] if graph.system.begins is not None else []
    parts += [f"{name} is taken again and again where it can be" for name in sorted(fairness.moves)]
    parts += ["every outcome of a choice comes about again and again"] if fairness.choices else []
    return listing(parts, "and") if parts else ""


def rests_on(result: CheckResult) -> str:
    """Where it was judged that nothing is stuck."""
    places = f"{_count(result.rests, 'state')} at rest"
    if result.cycles_off:
        return f"{places}; cycles not looked at: {result.cycles_off}"
    if result.cycles is None:
        return f"{places}; nothing is owed, so no cycle was looked at"
    return f"{places}, {_count(result.cycles, 'fair cycle')} looked at"


def notes(result: CheckResult) -> Iterator[str]:
    """What a reader who trusts the verdict should know."""
    graph = result.graph
    if graph is None or result.verdict != "ok":
        return
    if not takes_rows(result):
        yield "no row of any process was ever taken, so nothing was shown"
        return
    if not result.rests and not result.cycles and graph.system.judges(STUCK):
        yield "no state at rest and no cycle was judged: whether anything gets stuck was not asked"
    yield from _never_hot(graph)


def _never_hot(graph: Graph) -> Iterator[str]:
    """The hot states that no instance of their class came into."""
    met: dict[type[StateMachine], set[str]] = {}
    for process, value in graph.tables.locals.things:
        met.setdefault(graph.tables.handlers[process].cls, set()).add(value.state)
    for cls, states in met.items():
        never = sorted(cls.table.hot - states)
        if never:
            yield f"{cls.__name__} never comes into its hot {'states' if len(never) > 1 else 'state'} {listing(never, 'and')}"


def _can_owe(graph: Graph, name: str) -> bool:
    table = graph.tables.handlers[graph.tables.index[name]].table
    return bool(table.hot or table.owes)


def _count(number: int, what: str) -> str:
    words = what if number == 1 else what.replace("state", "states").replace("cycle", "cycles")
    return f"{number:,} {words}"
