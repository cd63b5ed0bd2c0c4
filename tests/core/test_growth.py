"""A check that hits a bound says what grew."""

from __future__ import annotations

from typing import Any

import pytest

from sim import Message, Process, System, check


class Beat(Message):
    pass


class Heart(Process):
    """Beats forever, however many beats are on their way."""

    states = ("beating",)
    timers = ("beat",)
    transitions = ({"trigger": "beat", "source": "beating", "dest": None, "after": "pump"},)

    def on_start(self) -> None:
        self.arm("beat", 10)

    def pump(self) -> None:
        self.send("body", Beat())
        self.arm("beat", 10)


class Body(Process):
    states = ("alive",)
    transitions = ({"trigger": Beat, "source": "alive", "dest": None},)


class Counter(Process):
    states = ("counting",)
    must = ("count",)
    transitions = ({"trigger": "count", "source": "counting", "dest": None, "after": "step"},)
    total: int = 0
    odd: bool = False

    def step(self) -> None:
        self.total += 1
        self.odd = not self.odd


class Diary(Counter):
    pages: tuple[int, ...] = ()
    odd: bool = False

    def step(self) -> None:
        self.pages += (1,)


@pytest.mark.parametrize("engine", ["plain", "compiled"])
def test_a_message_that_is_sent_again_and_again_is_named(engine: Any) -> None:
    result = check(System({"heart": Heart(), "body": Body()}), max_states=500, engine=engine)
    assert result.verdict == "incomplete"
    (line,) = result.grew
    assert line == (
        "500 Beat are in flight from heart to body: send it only when the last one has arrived, try "
        'network="set", or bound the check with `within`'
    ).replace("500", line.split()[0])
    assert int(line.split()[0]) > 100


@pytest.mark.parametrize("engine", ["plain", "compiled"])
def test_a_field_that_takes_ever_more_values_is_named(engine: Any) -> None:
    (line,) = check(System({"counter": Counter(), "body": Body()}), max_states=500, engine=engine).grew
    assert "local values of counter were met" in line
    assert "of its field total: let total stop at a maximum, or bound the check with `within`" in line
    (line,) = check(System({"diary": Diary()}), max_states=500, engine=engine).grew
    assert "of its field pages: keep less in pages" in line


def test_a_budget_that_is_spent_in_many_ways_is_named() -> None:
    class Twin(Process):
        states = ("idle",)

        def on_start(self) -> None:
            for _ in range(3):
                self.send("body", Beat())

    system = System({"twin": Twin(), "body": Body()}, faults="drop:2@twin, duplicate:2@body")
    lines = check(system, max_states=30).grew
    assert any("ways in which the fault budget is spent" in line for line in lines)


def test_a_check_that_ends_says_nothing_of_it() -> None:
    assert check(System({"body": Body()})).grew == []
