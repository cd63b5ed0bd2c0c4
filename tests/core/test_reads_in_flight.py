"""Predicates that read what is in flight: `reads=("in_flight:Message", ...)`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings

from sim import (
    Message,
    ModelError,
    Process,
    System,
    always,
    check,
    eventually,
    eventually_always,
    fuzz,
    leads_to,
    sometimes,
    within,
)
from sim.graph.graph import Graph
from sim.graph.judge import WithFlying, evaluated
from sim.system.properties import Property
from tests.counts import examples
from tests.systems import systems, walk


class Ask(Message):
    n: int


class Asker(Process):
    """Asks three times, then is done."""

    states = ("asking", "done")
    must = ("ask", "end")
    transitions = (
        {"trigger": "ask", "source": "asking", "dest": None, "conditions": "goes_on", "after": "send_one"},
        {"trigger": "end", "source": "asking", "dest": "done", "unless": "goes_on"},
    )
    asked: int = 0

    def goes_on(self) -> bool:
        return self.asked < 3

    def send_one(self) -> None:
        self.asked += 1
        self.send("b", Ask(min(self.asked, 2)))


class Answerer(Process):
    states = ("up",)
    transitions = ({"trigger": Ask, "source": "up", "dest": None, "after": "count"},)
    got: int = 0

    def count(self) -> None:
        self.got += 1


ASKS = ("in_flight:Ask",)


def system(*properties: Property, **more: Any) -> System:
    return System({"a": Asker(), "b": Answerer()}, properties=properties, **more)


def test_a_predicate_gets_a_sorted_tuple_with_repetitions() -> None:
    graph = Graph(system(always("few", lambda asks: True, reads=ASKS), network="fifo"))
    given: list[Any] = []

    def note(asks: Any, b: Any, again: Any) -> bool:
        given.append((asks, b.got))
        return asks == again

    state = graph.initial()[0]
    for _ in range(3):
        state = graph.apply(state, next(a for a in graph.actions(state) if a.subject == "ask"))
    prop = evaluated(graph, always("noted", note, reads=(*ASKS, "b", *ASKS)))
    assert prop(state.locals, state.net)
    assert prop(state.locals, state.net)
    assert given == [((("a", "b", Ask(1)), ("a", "b", Ask(2)), ("a", "b", Ask(2))), 0)]
    assert given[0][0][0].target == "b"


def few(most: int) -> Property:
    return always("few", lambda asks: len(asks) <= most, reads=ASKS)


HOLDS = (
    few(3),
    sometimes("two at once", lambda b, asks: len(asks) == 2 and not b.got, reads=("b", *ASKS)),
    eventually("all there", lambda asks, a: not asks and a.state == "done", reads=(*ASKS, "a")),
    eventually_always("none under way", lambda asks: not asks, reads=ASKS),
    leads_to("what is asked arrives", lambda asks, b: bool(asks), lambda asks, b: b.got > 0, reads=(*ASKS, "b")),
)
FAILS = (
    few(2),
    sometimes("four at once", lambda asks: len(asks) == 4, reads=ASKS),
    eventually("three at once", lambda asks: len(asks) == 3, reads=ASKS),
    eventually_always("one stays", lambda asks: bool(asks), reads=ASKS),
    leads_to("an empty line", lambda b, asks: b.got == 3, lambda b, asks: bool(asks), reads=("b", *ASKS)),
)


@pytest.mark.parametrize("engine", ["plain", "compiled"])
def test_what_holds_is_proved_by_whichever_engine_is_asked(engine: Any, capsys: pytest.CaptureFixture[str]) -> None:
    result = check(system(*HOLDS), engine=engine)
    assert (result.verdict, result.engine) == ("ok", "plain")
    said = "sim: always few reads what is in flight, so the plain engine does it all, slower\n"
    assert capsys.readouterr().err == (said if engine == "compiled" else "")


@pytest.mark.parametrize("prop", FAILS, ids=str)
def test_what_fails_is_found(prop: Property) -> None:
    assert check(system(prop)).finding.property == prop.name  # type: ignore[union-attr]
    assert check(system(prop), reduce=True).finding.property == prop.name  # type: ignore[union-attr]


@pytest.mark.parametrize("engine", ["plain", "compiled"])
@pytest.mark.parametrize("prop", [FAILS[0], FAILS[2]], ids=str)
def test_a_fuzz_finds_it_too(prop: Property, engine: Any) -> None:
    result = fuzz(system(prop), schedules=200, engine=engine)
    assert [one.property for one in result.found] == [prop.name]
    assert result.engine == "plain"


def test_a_finding_shows_what_is_in_flight() -> None:
    finding = check(system(few(2))).finding
    assert finding is not None
    flying = "a->b Ask(n=1), a->b Ask(n=2), a->b Ask(n=2)"
    assert finding.message == f"does not hold with in_flight:Ask ({flying})"


def test_a_bound_may_read_it() -> None:
    bounded = check(system(few(2), within=within("a short line", lambda asks: len(asks) < 2, reads=ASKS)))
    assert bounded.verdict == "ok"
    assert bounded.outside > 0


def test_it_is_not_reduced_and_says_why() -> None:
    reduced = check(system(few(3)), reduce=True).reduced
    assert reduced is not None
    assert (reduced.applied, reduced.off) == ([], ["always few reads what is in flight"])


def test_an_unknown_message_is_refused_in_one_line() -> None:
    with pytest.raises(ModelError) as caught:
        system(always("few", lambda asks: True, reads=("in_flight:Aks",)))
    assert caught.value.mistakes == ("always few: unknown message 'Aks' (did you mean 'Ask'?): use Ask",)


# --- on random systems --------------------------------------------------------------------------------------

PINGS = always("pings", lambda pings, p: len(pings) <= 1 or p.state == "a", reads=("in_flight:Ping", "p0"))


def _differs(system: System) -> bool:
    """Whether the property says something else than a look at the whole state."""
    graph = Graph(system)
    found = walk(graph, 300)
    assume(found is not None)
    prop = evaluated(graph, PINGS)

    def expected(state: Any) -> bool:
        flying: Sequence[int] = graph.network.every(state.net)
        pings = [e for e in flying if type(graph.tables.envelopes.things[e].message).__name__ == "Ping"]
        return len(pings) <= 1 or graph.view(state, "p0").state == "a"

    return any(prop(state.locals, state.net) != expected(state) for state in found or ())


@given(systems())
@settings(max_examples=examples(40), deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_it_is_asked_anew_wherever_something_else_is_in_flight(system: System) -> None:
    assert not _differs(system)


def test_a_property_that_is_remembered_by_local_values_alone_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    ask = WithFlying.__call__

    def forgetful(self: WithFlying, locals_: Any, net: Any = ()) -> bool:
        known: dict[Any, bool] = self.__dict__.setdefault("_forgetful", {})
        return known.setdefault(locals_, ask(self, locals_, net))

    monkeypatch.setattr(WithFlying, "__call__", forgetful)
    differing: list[bool] = []

    @given(systems())
    @settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
    def look(system: System) -> None:
        differing.append(not any(differing) and _differs(system))

    look()
    assert any(differing)
