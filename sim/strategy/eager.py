"""A run with a fault plan strikes eagerly: each entry at its first opportunities, in the order written."""

from __future__ import annotations

from sim.faults.plan import FaultEntry
from sim.graph.action import Action, Kind, outputs_named
from sim.graph.graph import Graph, State


class Eager:
    """Finds the fault that the plan has for an opportunity.

    An opportunity is an action that is about to happen. Domain and network faults strike the envelope
    that is about to be delivered; a crash strikes the handler that is about to run, behind the output
    its entry names (else behind all of them); a cut comes before the action, or behind one with the
    output that its entry names.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._last: Action | None = None

    def took(self, action: Action) -> None:
        self._last = action

    def strike(self, state: State, usual: Action) -> Action | None:
        """The first fault of the plan that may strike instead of `usual`."""
        faults = self._graph.faults(state, [usual])
        for index, entry in enumerate(self._graph.budget.entries):
            fitting = [fault for fault in faults if index in fault.entries and self._fits(fault, entry, usual)]
            if fitting:
                return min(fitting, key=lambda fault: fault.key)
        return None

    def _fits(self, fault: Action, entry: FaultEntry, usual: Action) -> bool:
        if entry.kind == "crash":
            return self._crashes(fault, entry, usual)
        if entry.kind == "cut":
            return entry.after is None or (self._last is not None and bool(outputs_named(self._last, entry.after)))
        if fault.window is not None or usual.kind is not Kind.DELIVER:
            return False
        if entry.kind == "reorder":
            pair = self._graph.tables.pair
            return pair[fault.envelope_id] == pair[usual.envelope_id]
        return fault.envelope_id == usual.envelope_id

    def _crashes(self, fault: Action, entry: FaultEntry, usual: Action) -> bool:
        if fault.window is None or fault.code == usual.code or fault.process != usual.process:
            return False
        same = fault.choices == usual.choices and fault.kind is usual.kind and fault.envelope_id == usual.envelope_id
        windows = outputs_named(usual, entry.after) if entry.after else [len(usual.all_outputs)]
        return same and fault.fault is None and fault.window in windows[:1]
