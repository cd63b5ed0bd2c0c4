"""A walk over a graph by the addresses of actions, as a reader of Semantics would do it by hand."""

from __future__ import annotations

from sim import Graph, State, System, View
from sim.graph.action import Action


class Walk:
    """A state of a graph, and the steps that led to it."""

    def __init__(self, system: System, start: int = 0) -> None:
        self.graph = Graph(system)
        self.starts = self.graph.initial()
        self.state: State = self.starts[start]

    def enabled(self) -> list[str]:
        """The addresses of the enabled actions, sorted."""
        return sorted(str(action.address) for action in self.graph.actions(self.state))

    def action(self, text: str) -> Action:
        """The one enabled action with this address; several of one address would be no address."""
        found = [action for action in self.graph.actions(self.state) if str(action.address) == text]
        assert len(found) == 1, f"{text!r} is not exactly one of {self.enabled()}"
        return found[0]

    def take(self, *texts: str) -> Walk:
        """Take the actions with these addresses, one after the other."""
        for text in texts:
            self.state = self.graph.apply(self.state, self.action(text))
        return self

    def view(self, name: str) -> View:
        return self.graph.view(self.state, name)

    def flying(self) -> list[str]:
        """What is in flight, as `source->target Type(fields)`, in the order of the network."""
        tables = self.graph.tables
        return [
            f"{e.source}->{e.target} {e.message!r}"
            for e in (tables.envelopes.things[i] for i in self.graph.network.every(self.state.net))
        ]

    def successors(self) -> list[State]:
        return [self.graph.apply(self.state, action) for action in self.graph.actions(self.state)]


def schedule(path: list[Action]) -> list[str]:
    """A schedule as its addresses."""
    return [str(action.address) for action in path]
