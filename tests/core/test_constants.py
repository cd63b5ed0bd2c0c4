"""What was configured and never changes is not printed in every state."""

from __future__ import annotations

from typing import Any

from sim import Applied, Graph, Message, Process, System
from sim.machine.constants import constant_fields


class Nudge(Message):
    pass


class Clerk(Process):
    states = ("open",)
    durable = ("kept",)
    transitions = ({"trigger": Nudge, "source": "open", "dest": None, "after": "note"},)

    run: str
    kept: frozenset[int] = frozenset()
    count: int = 0
    by_helper: int = 0

    def on_start(self) -> None:
        self.send(self.name, Nudge())

    def note(self) -> None:
        self.count += 1
        _help(self)
        self.emit(Applied(1), kept=frozenset({1}))


def _help(clerk: Any) -> None:
    clerk.by_helper = 1


class Sly(Clerk):
    def note(self) -> None:
        for name in ("run",):
            setattr(self, name, "other")


def test_a_field_that_no_code_sets_is_constant() -> None:
    assert constant_fields(Clerk) == frozenset({"run"})


def test_where_names_are_computed_nothing_is_called_constant() -> None:
    assert constant_fields(Sly) == frozenset()


def test_a_view_prints_without_it_and_has_it_all_the_same() -> None:
    graph = Graph(System({"clerk": Clerk(run="run-1")}))
    view = graph.view(graph.initial()[0], "clerk")
    assert repr(view) == "<open, kept={}, count=0, by_helper=0>"
    assert view.run == "run-1"
