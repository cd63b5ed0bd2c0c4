"""Judges states: evaluates each property once for each distinct combination of what it reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import NamedTuple

from sim.base.errors import ModelError, failure
from sim.base.overdue import WATCH
from sim.base.values import encode, show
from sim.graph.definition import Definition
from sim.graph.state import State
from sim.machine.process import View
from sim.system.network import Envelope, Net
from sim.system.properties import IN_FLIGHT, IN_THE_END, STUCK, Predicate, Property
from sim.world.finding import Debt, Finding


class Judge:
    """Evaluates the properties of a graph's system on its states."""

    def __init__(self, graph: Definition) -> None:
        self.graph = graph
        properties = graph.system.properties
        self.always = [evaluated(graph, p) for p in properties if p.kind == "always"]
        self.sometimes = [evaluated(graph, p) for p in properties if p.kind == "sometimes"]
        self.ends = [End(graph, p) for p in properties if p.kind in IN_THE_END]
        self.within = evaluated(graph, graph.system.within) if graph.system.within else None
        self._failed = graph.tables.failed

    def judge(self, state: State) -> Finding | None:
        """What is wrong in this state, whatever led to it; None if nothing is."""
        locals_, net = state.locals, state.net
        if self._failed:
            for local in locals_:
                if local in self._failed:
                    return self._failure(local)
        for prop in self.always:
            if not prop(locals_, net):
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


class PredicateCall(NamedTuple):
    """What a predicate is asked, for whoever waits for it."""

    property: Property
    given: Sequence[object]

    def __str__(self) -> str:
        given = ", ".join(f"{name} {one!r}" for name, one in zip(self.property.reads, self.given, strict=True))
        return f"the predicate of {self.property!s} for {given}"


class Evaluated:
    """A property whose predicate runs once for each distinct combination of what it reads."""

    def __init__(
        self, graph: Definition, prop: Property, reads: Sequence[int] = (), predicate: Predicate | None = None
    ) -> None:
        self.property = prop
        self.name = prop.name
        self._predicate = predicate or prop.predicate
        self._graph = graph
        self.reads = list(reads) or [graph.tables.index[name] for name in prop.machines]
        """What the verdict depends on, as numbers of processes and monitors."""
        self._project: Callable[[Sequence[int]], object] = itemgetter(*self.reads) if self.reads else _nothing
        self._single = len(self.reads) == 1
        self._known: dict[object, bool] = {}

    def __call__(self, locals_: tuple[int, ...], net: Net = ()) -> bool:  # noqa: ARG002  for those that read it
        key = self._project(locals_)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._evaluate(key)
        return known

    def _evaluate(self, key: object) -> bool:
        return self._ask(self._views(key))

    def _views(self, key: object) -> list[View]:
        numbers: tuple[int, ...] = (key,) if self._single else key  # type: ignore[assignment]
        return [self._graph.tables.view(number) for number in numbers]

    def _ask(self, given: Sequence[object]) -> bool:
        before, WATCH.call = WATCH.call, PredicateCall(self.property, given)
        try:
            found = self._predicate(*given)
        except BaseException as error:
            raise ModelError(f"{self.property} cannot be evaluated: {failure(error)}") from error
        finally:
            WATCH.call = before
        if callable(found):
            raise ModelError(f"{self.property} returns a function, which always holds; call it with ()")
        return bool(found)

    def shown(self, state: State) -> str:
        """What the property read in this state."""
        return ", ".join(f"{name} {self._graph.view(state, name)!r}" for name in self.property.reads)


class WithFlying(Evaluated):
    """A property that also reads messages in flight, in whatever order they were sent."""

    def __call__(self, locals_: tuple[int, ...], net: Net = ()) -> bool:
        flying = tuple(sorted(e for e in self._graph.network.every(net) if self._class(e) in self.property.flying))
        read = self._project(locals_)
        known = self._known.get((read, flying))
        if known is None:
            views = iter(self._views(read))
            given = [self._named(name, flying) if _is_flying(name) else next(views) for name in self.property.reads]
            known = self._known[read, flying] = self._ask(given)
        return known

    def _class(self, envelope: int) -> str:
        return type(self._graph.tables.envelopes.things[envelope].message).__name__

    def _named(self, name: str, flying: Sequence[int]) -> tuple[Envelope, ...]:
        """Those of the class that a property reads by this name."""
        found = (self._graph.tables.envelopes.things[e] for e in flying if _is_flying(name, self._class(e)))
        return tuple(sorted(found, key=lambda envelope: encode(envelope.value())))

    def shown(self, state: State) -> str:
        def said(name: str) -> str:
            if not _is_flying(name):
                return repr(self._graph.view(state, name))
            flying = self._named(name, self._graph.network.every(state.net))
            return f"({', '.join(f'{e.source}->{e.target} {show(e.message)}' for e in flying)})"

        return ", ".join(f"{name} {said(name)}" for name in self.property.reads)


def _nothing(_: Sequence[int]) -> tuple[()]:
    return ()


def _is_flying(name: str, message: str | None = None) -> bool:
    """Whether a name that a property reads means messages in flight, of this class if it is given."""
    return name.startswith(IN_FLIGHT) if message is None else name == IN_FLIGHT + message


def evaluated(graph: Definition, prop: Property, predicate: Predicate | None = None) -> Evaluated:
    """A property, or another predicate that reads the same, to be asked of states."""
    return (WithFlying if prop.flying else Evaluated)(graph, prop, predicate=predicate)


class End:
    """What a property asks of how a run ends: `holds` and, of a `leads_to`, `begins`; a `rests` asks nothing of states."""

    def __init__(self, graph: Definition, prop: Property) -> None:
        self.property, self.name, self.kind = prop, prop.name, prop.kind
        self.holds = evaluated(graph, prop) if prop.reads else None
        self.begins = evaluated(graph, prop, prop.premise) if prop.premise is not None else None
