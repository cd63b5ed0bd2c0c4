"""What a store would hold of a run of a system at some moment, for tests of what goes on from there."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from hypothesis import strategies as st

from sim import Graph, State, System
from sim.machine.table import FAILED, GONE, OFF
from sim.system.persisted import Persisted, Persisting
from tests.systems import systems

STEPS_MAX = 12


def persisted_at(
    graph: Graph, state: State, names: Collection[str] | None = None, again: Collection[int] = ()
) -> Persisted:
    """What is persisted of these processes and monitors (None: of all) in a state, and all that is in flight; the
    messages with these places in it may come again."""
    locals_ = {}
    for name, local in zip(graph.names, state.locals, strict=True):
        if names is None or name in names:
            handler, value = graph.tables.locals.things[local]
            fields = dict(zip(graph.tables.handlers[handler].fields, value.fields, strict=True))
            initial = graph.tables.handlers[handler].initial_state
            locals_[name] = Persisting(value.state if value.up else initial, fields, value.timers, up=value.up)
    sent = [graph.tables.envelopes.things[e] for e in graph.network.every(state.net)]
    flying = [(*envelope, at in again) for at, envelope in enumerate(sent)]
    return Persisted(locals_, tuple(flying))


def can_be_persisted(graph: Graph, state: State) -> bool:
    """Whether a state is that of processes which run or are down, of their own class, with all of the budget left."""
    things = [graph.tables.locals.things[local] for local in state.locals]
    beyond = any(value.state in (FAILED, GONE, OFF) or handler >= len(graph.names) for handler, value in things)
    return not beyond and state.budgets == graph.budget.full and not state.cuts


@st.composite
def begun(draw: Any, whole: bool = False, made: st.SearchStrategy[System] | None = None, **of: Any) -> System:
    """A random system (one that is `made` so) that begins where a run of it came to; `whole`: all of it was persisted and
    nothing comes again."""
    system = draw(systems(**of) if made is None else made)
    graph = Graph(system)
    state = found = graph.starts()[0].place
    for pick in draw(st.lists(st.integers(0, 63), max_size=STEPS_MAX)):
        actions = graph.actions(state)
        if not actions:
            break
        state = graph.apply(state, actions[pick % len(actions)])
        found = state if can_be_persisted(graph, state) else found
    if not can_be_persisted(graph, found):
        return system
    if whole:
        return system.with_(begins=persisted_at(graph, found))
    names = [name for name in graph.names if draw(st.booleans())]
    again = [at for at in range(len(graph.network.every(found.net))) if at < 3 and draw(st.booleans())]
    return system.with_(begins=persisted_at(graph, found, names, again))
