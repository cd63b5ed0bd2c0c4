"""Why something that a schedule asks for is not enabled."""

from __future__ import annotations

from sim.base.errors import unknown
from sim.graph.definition import Definition
from sim.graph.state import State
from sim.world.address import MESSAGE_VERBS, Address
from sim.world.world import NOT_IN_FLIGHT


def why_not(graph: Definition, state: State, address: Address) -> str:
    """Why nothing that fits `address` is enabled in `state`."""
    if address.verb in MESSAGE_VERBS:
        return _of_a_message(graph, state, address)
    if address.process and address.process not in graph.system.processes:
        return unknown("process", address.process, graph.system.processes)
    if address.process:
        view = graph.view(state, address.process)
        timers = f" with timers {', '.join(view.timers) or 'none'}" if address.verb == "fire" else ""
        return f"{address.process} is in state {view.state}{timers}"
    return "it is not enabled"


def _of_a_message(graph: Definition, state: State, address: Address) -> str:
    flying = [e for e in graph.network.every(state.net) if address.describes(graph.tables.address_of(e))]
    if not flying:
        return NOT_IN_FLIGHT
    why = next((why for e in flying if (why := graph.deferred(state, e)) is not None), None)
    return f"it is in flight, but {why or 'not in this way'}"
