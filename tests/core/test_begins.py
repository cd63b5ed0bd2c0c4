"""A system that begins where it was persisted: the graph against the naive reference, and against the graph of the same
system that came there by itself."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, find, given, settings

from sim import Graph, System
from sim.base.values import encode
from sim.graph.tabulation import Tabulation
from sim.machine.handler import Handler
from tests.core.test_graph_reference import GENERATE, QUIET, difference
from tests.counts import examples
from tests.persisting import begun
from tests.systems import walk

STATES_MAX = 400
FINDS = settings(max_examples=2_000, **GENERATE)


@given(begun())
@settings(max_examples=examples(100), deadline=None, suppress_health_check=QUIET, derandomize=True, database=None)
def test_graph_and_check_agree_with_the_reference_wherever_a_system_begins(system: System) -> None:
    assume(system.begins is not None)
    assert difference(system) is None


def reached(system: System) -> dict[bytes, list[tuple[bool, bytes]]] | None:
    """All states and steps of a system, as values; None if there are many."""
    graph = Graph(system)
    found = walk(graph, STATES_MAX)
    if found is None:
        return None
    return {
        encode(graph.value(state)): sorted((a.progress, encode(graph.value(after))) for a, after in steps)
        for state, steps in found.items()
    }


def strayed(system: System) -> str | None:
    """How a system that goes on where all of it was persisted leaves the graph of the one that came there; None if it
    does not. Assumes small systems."""
    here, whole = reached(system), reached(system.with_(begins=None))
    if here is None or whole is None:
        assume(False)
        return None
    other = [state for state, steps in here.items() if whole.get(state) != steps]
    return f"{len(other)} of {len(here)} states are other ones" if other else None


@given(begun(whole=True))
@settings(max_examples=examples(100), deadline=None, suppress_health_check=QUIET, derandomize=True, database=None)
def test_what_was_persisted_whole_goes_on_as_if_it_had_never_stopped(system: System) -> None:
    assume(system.begins is not None)
    assert strayed(system) is None


def fields_are_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    goes_on = Handler.goes_on
    monkeypatch.setattr(
        Handler, "goes_on", lambda self, state, fields, arms, *, up: goes_on(self, state, {}, arms, up=up)
    )


def timers_are_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    goes_on = Handler.goes_on
    monkeypatch.setattr(
        Handler, "goes_on", lambda self, state, fields, arms, *, up: goes_on(self, state, fields, (), up=up)
    )


def down_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    goes_on = Handler.goes_on
    monkeypatch.setattr(
        Handler, "goes_on", lambda self, state, fields, arms, *, up: goes_on(self, state, fields, arms, up=True)
    )


def everybody_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Tabulation, "_start", lambda self, name: self.handlers[self.index[name]].initial())


def nothing_flies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Tabulation, "flying", lambda self: ([], []))


def the_newest_flies_first(monkeypatch: pytest.MonkeyPatch) -> None:
    flying = Tabulation.flying
    monkeypatch.setattr(Tabulation, "flying", lambda self: (flying(self)[0][::-1], flying(self)[1]))


PLANTED = [fields_are_lost, timers_are_lost, down_is_up, everybody_starts, nothing_flies, the_newest_flies_first]


@pytest.mark.parametrize("plant", PLANTED)
def test_a_defect_in_how_a_system_goes_on_is_found(plant: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    faults = "crash:unlimited" if plant is down_is_up else None  # else nobody is down while the budget is whole
    find(
        begun(whole=True, faults=faults),
        lambda system: system.begins is not None and bool(strayed(system)),
        settings=FINDS,
    )


def always_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sim.graph.definition.ONCE", "twice")


def never_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sim.graph.tabulation.coming_again", lambda system, flying: [])


@pytest.mark.parametrize("plant", [always_twice, never_twice])
def test_a_defect_in_what_may_come_again_is_found(plant: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    find(begun(), lambda system: system.begins is not None and bool(difference(system)), settings=FINDS)
