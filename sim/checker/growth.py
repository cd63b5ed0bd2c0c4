"""What grew in a walk that hit a bound, and what usually helps: from the local values that were met, and the last states."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from sim.base.values import encode
from sim.graph.graph import Graph
from sim.graph.state import State

LAST = 300
"""How many of the last states are looked at: they are the deepest, so what grows is largest there."""
MANY_MESSAGES, MANY_VALUES, MANY_BUDGETS = 3, 20, 4
"""From so many on they are said to grow."""


def grew(graph: Graph, last: Sequence[State]) -> list[str]:
    """What grew, each with what helps, the likeliest first: a message in flight, a field, the fault budget."""
    return [*_in_flight(graph, last), *_local_values(graph), *_budgets(last)]


def _in_flight(graph: Graph, last: Sequence[State]) -> Iterator[str]:
    """The class and link with most messages in flight in one of the last states."""
    most: Counter[tuple[str, str, str]] = Counter()
    things = graph.tables.envelopes.things
    for state in last:
        flying = Counter(
            (type(t.message).__name__, t.source, t.target)
            for t in map(things.__getitem__, graph.network.every(state.net))
        )
        most |= flying
    if most:
        (name, source, target), count = max(most.items(), key=lambda item: (item[1], item[0]))
        if count >= MANY_MESSAGES:
            yield (
                f"{count:,} {name} are in flight from {source} to {target}: send it only when the last one has arrived, try "
                'network="set", or bound the check with `within`'
            )


def _local_values(graph: Graph) -> Iterator[str]:
    """The process or monitor with most distinct local values, and its field with most."""
    tables = graph.tables
    met = Counter(index for index, value in tables.locals.things if value.up)
    index, count = max(met.items(), key=lambda item: (item[1], -item[0]))
    if count < MANY_VALUES:
        return
    mine = [(process, value) for process, value in tables.locals.things if process == index and value.up]
    values: dict[str, set[bytes]] = {}
    for _, value in mine:
        for field, held in zip(tables.handlers[index].fields, value.fields, strict=True):
            values.setdefault(field, set()).add(encode(held))
    name = tables.called[index]
    field, distinct = max(
        ((f, len(v)) for f, v in values.items()), key=lambda pair: (pair[1], pair[0]), default=("", 0)
    )
    most = f", {distinct:,} of its field {field}" if distinct > 1 else ""
    counts = (
        all(type(value.fields[tables.handlers[index].fields.index(field)]) is int for _, value in mine)
        if field
        else False
    )
    helps = (
        f"let {field} stop at a maximum"
        if counts
        else f"keep less in {field}"
        if distinct > 1
        else "give it fewer states"
    )
    yield f"{count:,} local values of {name} were met{most}: {helps}, or bound the check with `within`"


def _budgets(last: Sequence[State]) -> Iterator[str]:
    """What is left of the fault budget, if it differs."""
    left = {state.budgets for state in last}
    if len(left) >= MANY_BUDGETS:
        yield f"{len(left):,} ways in which the fault budget is spent are among the last states: try fewer faults at a time"
