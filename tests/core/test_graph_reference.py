"""The graph against the naive reference, state by state, over random small systems."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import HealthCheck, assume, given, settings

from sim import Graph, System, check
from sim.values import encode
from tests.reference import FAILED, Explored, Reference
from tests.systems import PRIMITIVES, primitives_of, systems, walk

STATES_MAX = 400


def _deep(value: Any) -> Any:
    """A state of a graph in the form of the reference, which does not say where in a file something broke."""
    locals_, net, budgets, cuts = value
    return (
        tuple((s, (f[0], f[1].partition(" (")[0]) if s == FAILED else f, t) for s, f, t in locals_),
        net,
        budgets,
        cuts,
    )


def _plain(state: Any) -> Any:
    return (tuple(tuple(local) for local in state.locals), state.net, state.budgets, state.cuts)


def _compare(system: System) -> None:
    graph = Graph(system)
    found = walk(graph, STATES_MAX)
    assume(found is not None)
    assert found is not None
    expected = Reference(system).explore(2 * STATES_MAX)
    assert expected is not None, "the reference has many more states"
    theirs = {encode(_plain(state)): state for state in expected.states}
    ours = {encode(_deep(graph.value(state))): state for state in found}
    assert len(ours) == len(found), "two states of the graph have one value"
    assert ours.keys() == theirs.keys()
    for code, state in ours.items():
        mine = Counter((action.progress, encode(_deep(graph.value(after)))) for action, after in found[state])
        other = Counter((step.progress, encode(_plain(step.after))) for step in expected.edges[theirs[code]])
        assert mine == other
        assert len({action.code for action, _ in found[state]}) == len(found[state])
    _compare_check(system, expected)


def _compare_check(system: System, expected: Explored) -> None:
    result = check(system)
    if not expected.failures:
        assert (result.verdict, result.states) == ("ok", len(expected.states))
        assert (result.generated, result.depth) == (expected.generated, expected.depth)
        return
    assert result.verdict == "violated"
    assert result.finding is not None
    kind = result.finding.property
    if kind == "watch":
        kind = "waiting" if "at the end it still waits" in result.finding.message else "violated"
    assert len(result.path) == expected.failures[kind]
    assert len(result.path) == min(expected.failures.values()), "there is a shorter counterexample"


@given(systems())
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_graph_and_check_agree_with_the_reference(system: System) -> None:
    _compare(system)


def test_the_random_systems_come_to_use_every_primitive() -> None:
    used: Counter[str] = Counter()

    @given(systems())
    @settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
    def collect(system: System) -> None:
        graph = Graph(system)
        found = walk(graph, STATES_MAX)
        if found is not None:
            used.update(primitives_of(graph, found))

    collect()
    assert PRIMITIVES - used.keys() == set()
