"""Judges states: evaluates each property once for each distinct combination of what it reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter

from sim.base.errors import ModelError, failure
from sim.graph.definition import Definition
from sim.graph.state import State
from sim.system.properties import IN_THE_END, STUCK, Predicate, Property
from sim.world.finding import Debt, Finding


class Judge:
    """Evaluates the properties of a graph's system on its states."""

    def __init__(self, graph: Definition) -> None:
        self.graph = graph
        properties = graph.system.properties
        self.always = [Evaluated(graph, p) for p in properties if p.kind == "always"]
        self.sometimes = [Evaluated(graph, p) for p in properties if p.kind == "sometimes"]
        self.ends = [End(graph, p) for p in properties if p.kind in IN_THE_END]
        self.within = Evaluated(graph, graph.system.within) if graph.system.within else None
        self._failed = graph.tables.failed

    def judge(self, state: State) -> Finding | None:
        """What is wrong in this state, whatever led to it; None if nothing is."""
        locals_ = state.locals
        if self._failed:
            for local in locals_:
                if local in self._failed:
                    return self._failure(local)
        for prop in self.always:
            if not prop(locals_):
                return Finding(prop.name, f"does not hold with {prop.shown(state)}")
        return None

    def _failure(self, local: int) -> Finding:
        kind, machine, reason = self._failed[local]
        return Finding(machine, reason) if kind == "violated" else Finding(kind, reason)

    def judge_quiescent(self, state: State) -> Finding | None:
        """What is wrong in a state where nothing more happens by itself."""
        graph = self.graph
        for index, local in enumerate(state.locals):
            if local in graph.tables.hot:
                name, view = graph.names[index], graph.tables.view(local)
                if index >= graph.width:
                    return Finding(name, f"at the end it still waits in state {view!r}")
                return Finding(STUCK, f"nothing more happens, but {name} is in the hot state {view!r}")
        return None

    def owed(self, state: State) -> dict[Debt, int]:
        """What is owed in a state, each with the local value in which it is."""
        owed = self.graph.tables.owed
        return {debt: local for local in state.locals for debt in owed.get(local, ())}


class Evaluated:
    """A property whose predicate runs once for each distinct combination of what it reads."""

    def __init__(
        self, graph: Definition, prop: Property, reads: Sequence[int] = (), predicate: Predicate | None = None
    ) -> None:
        self.property = prop
        self.name = prop.name
        self._predicate = predicate or prop.predicate
        self._graph = graph
        self.reads = list(reads) or [graph.tables.index[name] for name in prop.reads]
        """What the verdict depends on, as numbers of processes and monitors."""
        self._project: Callable[[Sequence[int]], object] = itemgetter(*self.reads)
        self._single = len(self.reads) == 1
        self._known: dict[object, bool] = {}

    def __call__(self, locals_: tuple[int, ...]) -> bool:
        key = self._project(locals_)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._evaluate(key)
        return known

    def _evaluate(self, key: object) -> bool:
        numbers: tuple[int, ...] = (key,) if self._single else key  # type: ignore[assignment]
        views = [self._graph.tables.view(number) for number in numbers]
        try:
            found = self._predicate(*views)
        except BaseException as error:
            raise ModelError(f"{self.property} cannot be evaluated: {failure(error)}") from error
        if callable(found):
            raise ModelError(f"{self.property} returns a function, which always holds; call it with ()")
        return bool(found)

    def shown(self, state: State) -> str:
        """What the property read in this state."""
        return ", ".join(f"{name} {self._graph.view(state, name)!r}" for name in self.property.reads)


class End:
    """What a property asks of how a run ends: `holds` and, of a `leads_to`, `begins`; a `rests` asks nothing of states."""

    def __init__(self, graph: Definition, prop: Property) -> None:
        self.property, self.name, self.kind = prop, prop.name, prop.kind
        self.holds = Evaluated(graph, prop) if prop.reads else None
        self.begins = Evaluated(graph, prop, predicate=prop.premise) if prop.premise is not None else None
