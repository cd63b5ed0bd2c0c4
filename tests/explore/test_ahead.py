"""The compiled walk asks predicates about many states together, and never one that the plain walk would not ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim import Emission, Monitor, Process, System, always, check, sometimes, within
from sim.checker.compiled import walk as compiled_walk
from sim.graph.judge import Evaluated
from sim.native import walks
from sim.scenario import load_target
from tests.counts import examples
from tests.systems import systems


def asked(system: System, engine: Any, **limits: Any) -> list[tuple[str, str]]:
    """What predicates were asked in a check, in their order."""
    found: list[tuple[str, str]] = []
    ask = Evaluated._ask

    def noted(self: Evaluated, given: Sequence[object]) -> bool:
        found.append((self.name, repr(given)))
        return ask(self, given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Evaluated, "_ask", noted)
        check(system, engine=engine, **limits)
    return found


def same_questions(system: System, **limits: Any) -> bool:
    plain = asked(system, "plain", **limits)
    return all(asked(system, "compiled", exact=exact, **limits) == plain for exact in (False, True))


@st.composite
def judged(draw: Any) -> System:
    """A random system with properties that say no somewhere, or only somewhere."""
    system = draw(systems())
    names = list(system.processes)
    one, other = draw(st.sampled_from(names)), draw(st.sampled_from(names))
    bit, least = draw(st.integers(0, 4)), draw(st.integers(1, 6))

    def differs(a: Any, b: Any) -> bool:
        return sum(map(ord, f"{a!r}{b!r}")) >> bit & least != least

    def sometimes_one(a: Any) -> bool:
        return sum(map(ord, repr(a))) >> bit & 1 == 1

    more = (always("differs", differs, reads=(one, other)), sometimes("one", sometimes_one, reads=(one,)))
    return replace(system, properties=(*system.properties, *more))


LARGE = settings(
    max_examples=examples(200), deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None
)


@given(judged())
@LARGE
def test_both_engines_ask_predicates_the_same_in_the_same_order(system: System) -> None:
    assert same_questions(system, max_states=None if check(system, max_states=400).complete else 400)


def test_a_model_is_asked_the_same_in_fewer_calls() -> None:
    system = load_target("models.paxos", {"clients": "2"}).system
    assert same_questions(system)

    def calls(look: Any) -> int:
        made = 0

        def counted(*arguments: Any) -> Any:
            nonlocal made
            made += 1
            return expand(*arguments)

        expand = walks.expand
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(walks, "expand", counted)
            patch.setattr(walks, "ahead", look)
            check(system, engine="compiled")
        return made

    assert 5 * calls(walks.ahead) < 3 * calls(lambda *_: 0)


class Passed(Emission):
    n: int


class Walker(Process):
    """Goes to 8 by steps of one and of two."""

    states = ("on",)
    must = ("jump", "go")
    transitions = (
        {"trigger": "jump", "source": "on", "dest": None, "conditions": "may_go", "after": "two"},
        {"trigger": "go", "source": "on", "dest": None, "conditions": "may_go", "after": "one"},
    )
    n: int = 0

    def may_go(self) -> bool:
        return self.n < 8

    def one(self) -> None:
        self.n += 1

    def two(self) -> None:
        self.n += 2


class Fails(Walker):
    """Breaks down behind a step that is all right."""

    def one(self) -> None:
        self.n += 1
        assert self.n != 3


class Owes(Walker):
    """Owes something where it ends."""

    hot = ("on",)


class OwesSlowly(Owes):
    """The same, by small steps first."""

    must = ("go", "jump")
    transitions = Owes.transitions[::-1]


class Tells(Walker):
    """Says that it goes on."""

    def one(self) -> None:
        self.n += 1
        self.emit(Passed(self.n))


class Hears(Monitor):
    """Is violated by the fourth that it hears of."""

    states = ("well",)
    transitions = ({"trigger": Passed, "source": "well", "dest": None, "after": "count"},)
    heard: int = 0

    def count(self) -> None:
        self.heard += 1
        if self.heard == 4:
            self.violate("too many")


def trio(*properties: Any, kind: type[Process] = Walker, **more: Any) -> System:
    return System({"a": kind(), "b": kind(), "c": kind()}, properties=properties, **more)


def low(a: Any, b: Any, c: Any) -> bool:
    return bool(a.n + b.n + c.n < 9)


def high(a: Any, b: Any, c: Any) -> bool:
    return bool(a.n + b.n + c.n > 5)


@pytest.mark.parametrize(
    "system",
    [
        trio(always("low", low)),
        trio(sometimes("high", high), always("low", low)),
        trio(sometimes("high", high), within=within("low", low)),
        trio(always("any", lambda a, b, c: True), sometimes("high", high)),
        trio(always("any", lambda a, b, c: True), kind=Fails),
        trio(always("any", lambda a, b, c: True), kind=Owes),
        System({"a": OwesSlowly(), "b": OwesSlowly(), "c": Owes()}, properties=[always("any", lambda a, b, c: True)]),
        trio(always("any", lambda a, b, c: True), kind=Tells, monitors={"m": Hears()}),
    ],
)
@pytest.mark.parametrize("cells", [64, 1 << 16])
def test_it_ends_where_the_walk_may_end(system: System, cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled_walk, "FOUND_CELLS", cells)
    assert same_questions(system)


def test_one_that_looks_behind_a_violation_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(self: Any, states: list[Any]) -> None:
        for state in states:
            for prop in self._judge.always:
                self._mirror.learn_verdict(prop, state)

    monkeypatch.setattr(compiled_walk.CompiledWalk, "_learn_verdicts", careless)
    assert not same_questions(trio(always("low", low)))


def test_one_that_asks_on_for_what_was_seen_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(self: Any, states: list[Any]) -> None:
        for state in states:
            for prop in (*self._judge.always, *self._judge.sometimes):
                self._mirror.learn_verdict(prop, state)

    monkeypatch.setattr(compiled_walk.CompiledWalk, "_learn_verdicts", careless)
    assert not same_questions(trio(always("any", lambda a, b, c: True), sometimes("high", high)))
