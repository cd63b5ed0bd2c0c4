"""How random systems end, with properties of every kind: check, naive judge, replay and fuzz say the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, assume, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from sim import (
    Replay,
    System,
    always,
    always_eventually,
    check,
    eventually,
    eventually_always,
    leads_to,
    rests,
    simulate,
    sometimes,
)
from sim.checker.explored import WholeGraph
from sim.checker.liveness import Liveness
from sim.run.lasso import Rounds
from sim.strategy import make_strategy
from tests.core.test_graph_reference import GENERATE
from tests.counts import examples
from tests.in_the_end import Ends, asked, violated_by_fixed_point
from tests.reference import FAILED, Reference, State
from tests.systems import systems

STATES_MAX = 150
QUIET = list(HealthCheck)
SETTINGS: dict[str, Any] = {"deadline": None, "suppress_health_check": QUIET, "derandomize": True, "database": None}
MAKE = {
    "always": always,
    "sometimes": sometimes,
    "eventually": eventually,
    "always_eventually": always_eventually,
    "eventually_always": eventually_always,
}
SOME_STATES = st.sampled_from(["a", "b", "c", "ab", "bc", "ca"])


@st.composite
def judged(draw: Any) -> System:
    """A random system with some properties."""
    system: System = draw(systems())
    kinds = draw(st.lists(st.sampled_from([*MAKE, "leads_to", "rests"]), unique=True, max_size=3))
    return system.with_(properties=[_property(draw, kind, [*system.processes]) for kind in kinds])


def _property(draw: Any, kind: str, names: list[str]) -> Any:
    if kind == "rests":
        return rests()
    who, some, others = draw(st.sampled_from(names)), draw(SOME_STATES), draw(SOME_STATES)
    if kind == "leads_to":
        premise, goal = (lambda p, some=some: p.state in some), (lambda p, others=others: p.state in others)
        return leads_to(f"{who} {some} leads to {others}", premise, goal, reads=(who,))
    return MAKE[kind](f"{kind} {who} {some}", lambda p, some=some: p.state in some, reads=(who,))


def naive(system: System) -> set[str] | None:
    """The names of what is violated in some run, by `tests.in_the_end`; None if there are too many states."""
    reference = Reference(system)
    explored = reference.explore(STATES_MAX)
    if explored is None:
        return None
    ends = Ends(system, explored)
    found = {"watch" if kind in ("violated", "waiting") else kind for kind in explored.failures}
    for (index, _), states in ends.debts().items():
        if any(s in states for s in ends.resting) or ends.fair_from(states):
            found.add("stuck" if index < reference.width else ends.reference.names[index])
    for prop in system.properties:
        holds, premise = _asks(reference, prop, prop.predicate), _asks(reference, prop, prop.premise or bool)
        if prop.kind == "always":
            violated = any(not holds(s) for s in ends.states)
        elif prop.kind == "sometimes":
            violated = not any(holds(s) for s in ends.states)
        else:
            violated = violated_by_fixed_point(ends, asked(ends, prop.kind, holds, premise))
        if violated:
            found.add(prop.name)
    return found


def _asks(reference: Reference, prop: Any, predicate: Any) -> Any:
    index = reference.names.index(prop.reads[0]) if prop.reads else 0

    def holds(state: State) -> bool:
        if any(local.state == FAILED for local in state.locals):
            return prop.kind != "sometimes"  # nothing is asked where a machine has failed
        return bool(predicate(state.locals[index]))

    return holds


def difference(system: System) -> str | None:
    """In what check and replay differ from the naive judge; None if in nothing, or if there are too many states."""
    expected = naive(system)
    if expected is None:
        return None
    result = check(system, engine="plain")
    if result.finding is None:
        return f"ok, but {expected} is violated" if expected else None
    if result.finding.property not in expected:
        return f"{result.finding}, but only {expected} is violated"
    if result.counterexample is None:
        return None
    run = simulate(system, Replay([*result.counterexample.schedule]))
    if run.finding != result.finding or run.steps != len(result.path):
        return f"{result.finding} replays to {run.finding}"
    return None


@given(judged())
@settings(max_examples=examples(3_000), **SETTINGS)
def test_a_check_agrees_with_the_naive_judge_and_what_it_finds_replays(system: System) -> None:
    assert difference(system) is None


@given(judged(), st.sampled_from(["uniform", "pctcp", "virtual_time"]), st.integers(0, 99))
@settings(max_examples=examples(3_000), **SETTINGS)
def test_what_a_schedule_violates_the_naive_judge_finds(system: System, strategy: str, seed: int) -> None:
    expected = naive(system)
    assume(expected is not None)
    run = simulate(system, make_strategy(strategy, seed), max_steps=400, round_ends=True)
    assert expected is not None
    assert run.finding is None or run.finding.property in expected


@given(judged())
@settings(max_examples=examples(1_000), **SETTINGS)
def test_both_engines_say_the_same(system: System) -> None:
    expected = naive(system)
    assume(expected is not None)
    plain, compiled = check(system, engine="plain"), check(system, engine="compiled")
    for name in ("states", "generated", "depth", "finding", "proved", "rests", "cycles", "notes"):
        assert getattr(plain, name) == getattr(compiled, name), name
    assert [a.code for a in plain.path] == [a.code for a in compiled.path]


PLANTED = {
    "rounds are not looked at": (Liveness, "wrong_round", lambda self: None),
    "rest is not looked at": (Liveness, "unmet_at_rest", lambda self, shorter=None: None),
    "what leads to it is not asked": (WholeGraph, "both", lambda self, one, other: one),
}


@pytest.mark.parametrize("fault", PLANTED)
def test_a_planted_fault_is_found(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    where, name, broken = PLANTED[fault]
    monkeypatch.setattr(where, name, broken)
    system = find(judged(), lambda one: difference(one) is not None, settings=settings(max_examples=3_000, **GENERATE))
    monkeypatch.undo()
    assert difference(system) is None


def test_a_run_that_does_not_notice_its_rounds_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The judge of schedules may fail to notice; that it never does would be seen by what a fuzz finds."""
    monkeypatch.setattr(Rounds, "took", lambda *_: False)
    with pytest.raises(NoSuchExample):
        find(
            judged(),
            lambda one: simulate(one, make_strategy("uniform", 0), max_steps=200, round_ends=True).round > 0,
            settings=settings(max_examples=60, **GENERATE),
        )
    monkeypatch.undo()
    find(
        judged(),
        lambda one: simulate(one, make_strategy("uniform", 0), max_steps=200, round_ends=True).round > 0,
        settings=settings(max_examples=2_000, **GENERATE),
    )
