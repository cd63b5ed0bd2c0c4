"""A coordinator of some 60 lines over openai's client: four mistakes that people make in it are each found, with at most three
departures from the usual; as it stands nothing is found in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sim import check, fuzz
from sim.live.around import around
from tests.libraries.council_program import system

FOUND_IN = 300
"""Schedules of the default fuzz."""
DEVIATIONS_MAX = 3
MISTAKES = {
    "Forgetful": ("agent_timeout:2", "nobody_forgotten"),
    "CountsTwice": ("agent_timeout:1", "one_vote_each"),
    "StoresTwice": ("cancel:1@user", "stored_once"),
    "Impatient": ("rate_limited:1", "no_hammering"),
}
"""Mistake -> what has to be planned so that it shows, and what finds it."""


@pytest.fixture(autouse=True, scope="module")
def installed_once() -> Iterator[None]:
    with around.walks():
        yield


def found(mistake: str, plan: str, schedules: int = FOUND_IN) -> dict[str, int]:
    """What a fuzz finds: property -> how many departures it takes."""
    result = fuzz(system(mistake, agents=2, plan=plan), schedules=schedules)
    return {one.property: len(one.schedule) for one in result.found}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_each_mistake_is_found_and_made_small(mistake: str) -> None:
    plan, judge = MISTAKES[mistake]
    least = found(mistake, plan)
    assert list(least) == [judge]
    assert least[judge] <= DEVIATIONS_MAX


@pytest.mark.parametrize("plan", [plan for plan, _ in MISTAKES.values()])
def test_nothing_is_found_without_a_mistake(plan: str) -> None:
    assert found("", plan) == {}


def test_without_a_mistake_every_schedule_with_one_deviation_is_right() -> None:
    result = check(system(agents=1), deviations=1)
    assert result.verdict == "ok"
    assert result.schedules > 50


@pytest.mark.soak
def test_without_a_mistake_every_schedule_with_two_deviations_is_right() -> None:
    assert check(system(agents=1), deviations=2).verdict == "ok"


@pytest.mark.soak
@pytest.mark.parametrize("strategy", ["portfolio", "delay_bounded"])
def test_without_a_mistake_thousands_of_schedules_are_right(strategy: str) -> None:
    result = fuzz(system(), schedules=2_000, strategy=strategy)
    assert (result.verdict, result.schedules) == ("ok", 2_000)
