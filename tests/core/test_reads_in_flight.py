"""Predicates that read what is in flight: `reads=("in_flight:Message", ...)`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, assume, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from sim import (
    Message,
    ModelError,
    Process,
    System,
    always,
    always_eventually,
    check,
    eventually,
    eventually_always,
    fuzz,
    leads_to,
    sometimes,
    within,
)
from sim.checker.compiled.cycles import ArrayGraph
from sim.checker.compiled.mirror import Mirror
from sim.graph.graph import Graph
from sim.graph.judge import WithFlying, evaluated
from sim.system.properties import Property
from tests.counts import examples
from tests.explore import test_compiled, test_compiled_fuzz
from tests.systems import Ping, Pong, systems, walk


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
def test_what_holds_is_proved_by_whichever_engine_is_asked(engine: Any) -> None:
    result = check(system(*HOLDS), engine=engine)
    assert (result.verdict, result.engine) == ("ok", engine)


@pytest.mark.parametrize("engine", ["plain", "compiled"])
@pytest.mark.parametrize("prop", FAILS, ids=str)
def test_what_fails_is_found(prop: Property, engine: Any) -> None:
    for reduce in (False, True):
        result = check(system(prop), engine=engine, reduce=reduce)
        assert result.finding.property == prop.name  # type: ignore[union-attr]


@pytest.mark.parametrize("engine", ["plain", "compiled"])
@pytest.mark.parametrize("prop", [FAILS[0], FAILS[2]], ids=str)
def test_a_fuzz_finds_it_too(prop: Property, engine: Any) -> None:
    result = fuzz(system(prop), schedules=200, engine=engine)
    assert [one.property for one in result.found] == [prop.name]
    assert result.engine == engine


def test_a_finding_shows_what_is_in_flight() -> None:
    finding = check(system(few(2))).finding
    assert finding is not None
    flying = "a->b Ask(n=1), a->b Ask(n=2), a->b Ask(n=2)"
    assert finding.message == f"does not hold with in_flight:Ask ({flying})"


@pytest.mark.parametrize("engine", ["plain", "compiled"])
def test_a_bound_may_read_it(engine: Any) -> None:
    bound = within("a short line", lambda asks: len(asks) < 2, reads=ASKS)
    bounded = check(system(few(2), within=bound), engine=engine)
    assert bounded.verdict == "ok"
    assert bounded.outside > 0


def test_more_classes_than_there_are_bits_share_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sim.checker.compiled.mirror.WATCHED_MAX", 1)
    names = ("in_flight:Ping", "in_flight:Pong")
    sent = always("pings", lambda pings: not pings, reads=names[:1]), always("pongs", lambda p: len(p) < 9, names[1:])
    pings = System({"a": Pinger()}, properties=sent, network="fifo")
    assert test_compiled.agree(pings).verdict == "violated"
    assert test_compiled.agree(pings.with_(properties=sent[1:])).verdict == "ok"


class Pinger(Process):
    """Sends itself one and the other, again and again."""

    states = ("up",)
    transitions = (
        {"trigger": Pong, "source": "up", "dest": None, "after": "ping"},
        {"trigger": Ping, "source": "up", "dest": None, "after": "pong"},
    )

    def on_start(self) -> None:
        self.send(self.name, Pong(0))

    def ping(self) -> None:
        self.send(self.name, Ping(0))

    def pong(self) -> None:
        self.send(self.name, Pong(0))


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


# --- both engines ---------------------------------------------------------------------------------------------


@st.composite
def reading(draw: Any) -> System:
    """A random system, some of whose properties read what is in flight."""
    system: System = draw(systems())
    names = [*system.processes]
    one = draw(st.sampled_from(names))
    tables = (type(process).table for process in system.processes.values())
    taken = {row.trigger.__name__ for table in tables for row in table.rows if row.trigger in (Ping, Pong)}
    assume(taken)
    kinds = sorted(taken)
    kind, both = f"in_flight:{draw(st.sampled_from(kinds))}", tuple(f"in_flight:{name}" for name in kinds)
    most = draw(st.integers(0, 3))

    def is_calm(*given: Any) -> bool:
        return sum(len(found) for found in given) <= most

    properties = (
        always("few", lambda sent: len(sent) <= most, reads=(kind,)),
        always(
            "few of a number", lambda p, *sent: sum(e.message.n for s in sent for e in s) <= 2 or p.fuel, (one, *both)
        ),
        sometimes("met", lambda sent, p: len(sent) == most and p.state == "b", reads=(kind, one)),
        eventually("calm", is_calm, reads=both),
        always_eventually("calm again", is_calm, reads=both),
        eventually_always("calm at last", lambda sent: len(sent) != 1, reads=(kind,)),
        leads_to("calmed", lambda p, *sent: not is_calm(*sent), lambda p, *sent: p.state != "a", reads=(one, *both)),
    )
    chosen = draw(st.lists(st.sampled_from(range(len(properties))), unique=True, min_size=1, max_size=3))
    bound = within("short", lambda sent: len(sent) <= most, reads=(kind,)) if draw(st.sampled_from([0, 0, 1])) else None
    return system.with_(properties=[properties[i] for i in chosen], within=bound)


QUIET: dict[str, Any] = {"deadline": None, "suppress_health_check": list(HealthCheck), "derandomize": True}


@given(reading())
@settings(max_examples=examples(300), database=None, **QUIET)
def test_both_engines_of_the_check_agree(system: System) -> None:
    test_compiled.agree(system, max_states=300)


@given(reading(), st.sampled_from(sorted(test_compiled_fuzz.STRATEGIES)), st.integers(0, 2**64 - 1), st.booleans())
@settings(max_examples=examples(300), database=None, **QUIET)
def test_both_engines_of_the_fuzz_agree(system: System, strategy: str, seed: int, keep_going: bool) -> None:
    test_compiled_fuzz.agree(system, schedules=12, seed=seed, strategy=strategy, max_steps=60, keep_going=keep_going)


def _check_differs(system: System) -> bool:
    try:
        test_compiled.agree(system, max_states=300)
    except AssertionError:
        return True
    return False


def _fuzz_differs(system: System) -> bool:
    try:
        test_compiled_fuzz.agree(system, schedules=12, strategy="uniform", max_steps=60)
    except AssertionError:
        return True
    return False


def _asks_of_nothing(self: ArrayGraph, prop: Any, read: list[int]) -> bool:
    return ask_of(self, prop, read[: 1 + len(prop.reads)])


ask_of = ArrayGraph._holds
LIES: dict[str, tuple[Any, str, Any, Any]] = {
    "nothing in flight is read, in a check": (Mirror, "watches", lambda self, prop: 0, _check_differs),
    "nothing in flight is read, in a fuzz": (Mirror, "watches", lambda self, prop: 0, _fuzz_differs),
    "cycles are judged with nothing in flight": (ArrayGraph, "_holds", _asks_of_nothing, _check_differs),
}


@pytest.mark.parametrize("what", LIES)
def test_a_planted_divergence_is_caught(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    target, name, broken, differs = LIES[what]
    monkeypatch.setattr(target, name, broken)
    try:
        often: dict[str, Any] = {"max_examples": 300, "phases": [Phase.generate], "database": None}
        find(reading(), differs, settings=settings(**often, **QUIET))
    except NoSuchExample:
        pytest.fail(f"{what}: not noticed")


def test_cycles_are_judged_alike_however_many_states_are_looked_at_together(monkeypatch: pytest.MonkeyPatch) -> None:
    for prop in (*HOLDS, *FAILS):
        whole = test_compiled.agree(system(prop))
        for many in (1, 7):
            monkeypatch.setattr("sim.checker.compiled.cycles._ASKED_AT_ONCE", many)
            assert test_compiled.summary(check(system(prop), engine="compiled")) == test_compiled.summary(whole)
