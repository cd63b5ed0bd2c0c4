"""The time limit of a fuzz holds inside a schedule, and while a violation is made less."""

from __future__ import annotations

import time
from typing import Any

import pytest

from sim import Process, System, always, fuzz
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
