"""The time limit of a fuzz holds inside a schedule, and while a violation is made less; that of a check while cycles are
looked at."""

from __future__ import annotations

import time
from typing import Any

import pytest

from sim import Graph, Process, System, always, always_eventually, check, eventually_always, fuzz
from sim.checker.explored import TimeIsUp, WholeGraph
from sim.checker.liveness import Liveness
from sim.checker.plain import Limits, PlainWalk
from sim.checker.recurrence import Recurrence
from sim.checker.tours import Fair
from sim.fuzzer.fuzz import _Fuzz


class Counter(Process):
    """Counts forever."""

    states = ("counting",)
    must = ("count",)
    transitions = ({"trigger": "count", "source": "counting", "dest": None, "after": "step"},)
    total: int = 0

    def step(self) -> None:
        self.total += 1


@pytest.mark.parametrize("engine", ["plain", "compiled"])
def test_a_schedule_without_end_is_left_when_the_time_is_up(engine: Any) -> None:
    result = fuzz(System({"counter": Counter()}), seconds=0.2, max_steps=10_000_000, engine=engine, strategy="uniform")
    assert (result.schedules, result.unfinished, result.verdict) == (0, True, "incomplete")
    assert result.steps < 10_000_000


def test_a_limit_that_is_not_looked_at_inside_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Fuzz, "_time_is_up", lambda _: False)
    result = fuzz(System({"counter": Counter()}), seconds=0.01, max_steps=5_000, engine="plain", strategy="uniform")
    assert (result.unfinished, result.steps % 5_000) == (False, 0)


def test_what_is_minimised_when_the_time_is_up_is_kept_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    system = System({"a": Counter(), "b": Counter()}, properties=(always("few", lambda a, b: a.total + b.total < 40),))
    monkeypatch.setattr(
        _Fuzz,
        "_grace_is_up",
        lambda self: time.perf_counter() > 0 and bool(self.result.found) is False and self.result.steps > 0,
    )
    (found,) = fuzz(system, seconds=60, schedules=3, engine="plain").found
    assert not found.counterexample.complete
    assert found.counterexample.property == "few"


class Ring(Process):
    """Goes round, and chooses a side on the way."""

    states = ("on",)
    must = ("turn", "flip")
    transitions = (
        {"trigger": "turn", "source": "on", "dest": None, "after": "go_on"},
        {"trigger": "flip", "source": "on", "dest": None, "after": "pick"},
    )
    at: int = 0
    side: int = 0

    def go_on(self) -> None:
        self.at = (self.at + 1) % 4

    def pick(self) -> None:
        self.side = self.choose(0, 1)


STATES = (4 * 2) ** 2


def rings(kind: Any = eventually_always) -> System:
    apart = kind("apart", lambda a, b: a.at != b.at)
    return System({"a": Ring(), "b": Ring()}, properties=(apart,), fair=("a.flip",), fair_choices=True)


def looks(system: System, last: int | None = None) -> int:
    """How often the time is looked at while the cycles of a system are judged; at the `last` time it is up."""
    count = 0

    def time_is_up() -> bool:
        nonlocal count
        count += 1
        return count == last

    walk = PlainWalk(Graph(system), Limits(), cycles=True)
    walk.run()
    liveness = Liveness(walk.explored(), walk.judge, walk.graph.fairness, time_is_up)
    try:
        liveness.wrong_round()
        liveness.cycles()
    except TimeIsUp:
        assert count == last
    return count


@pytest.mark.parametrize("kind", [always_eventually, eventually_always])
def test_judging_cycles_is_left_whenever_the_time_is_up(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Fair, "ask_every", 1)
    monkeypatch.setattr(WholeGraph, "slice", 10)
    assert check(rings(kind), engine="plain").verdict == ("ok" if kind is always_eventually else "violated")
    whole = looks(rings(kind))
    assert whole > 2 * STATES, "to find a component, to take it apart, to find a way through it"
    for last in range(1, whole + 1, 7):
        assert looks(rings(kind), last) == last


def test_parts_and_ways_that_do_not_look_at_the_time_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Fair, "moves_from", lambda self, number: self.explored.moves_from(number))
    with pytest.raises(AssertionError):
        test_judging_cycles_is_left_whenever_the_time_is_up(eventually_always, monkeypatch)


class Owing(Process):
    """Does what it owes, some time."""

    states = ("owing", "done")
    hot = ("owing",)
    must = ("finish",)
    transitions = ({"trigger": "finish", "source": "owing", "dest": "done"},)


def test_what_could_be_on_a_cycle_is_not_sought_when_the_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    system = System({"ring": Ring(), "owing": Owing()})
    assert (check(system).cycles, check(system).cycles_off) == (1, "")
    begun = Recurrence.__init__

    def late(self: Recurrence, graph: Graph, _: Any) -> None:
        begun(self, graph, lambda: True)

    monkeypatch.setattr(Recurrence, "__init__", late)
    result = check(system)
    assert (result.verdict, result.cycles, result.cycles_off) == ("ok", None, "the time was up")
    assert "never stuck" not in result.proved
    monkeypatch.setattr(Recurrence, "__init__", lambda self, graph, _: begun(self, graph))
    assert check(system).cycles_off == "", "it would not be looked at"


def test_a_check_whose_time_is_up_among_the_cycles_has_proved_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Liveness, "wrong_round", lambda self: (_ for _ in ()).throw(TimeIsUp))
    result = check(rings(always_eventually), engine="plain")
    assert (result.verdict, result.complete, result.stopped) == ("incomplete", False, "the time was up")
