"""A coordinator made of the plain classes conforms to its model in every schedule; with a mistake in it, it does not."""

from __future__ import annotations

import pytest

from bench.coordinator import system
from bench.coordinator.mistakes import MISTAKES
from sim import Replay, check, fuzz, simulate
from sim.base.errors import ConfigError
from tests.live.small import installed_once  # noqa: F401

LEAST = {
    "forgets_late": ["fire coordinator.timeout after connect coordinator->gemini"],
    "counts_twice": ["fire coordinator.timeout", "deliver gemini->coordinator 40 bytes(connection=2)"],
    "does_not_wait": [],
    "stores_twice": ["fire coordinator.timeout after deliver consumer->coordinator 39 bytes"],
    "asks_forever": ["fire coordinator.timeout", "fire coordinator.timeout"],
}
"""What has to come otherwise than usual for each mistake to show."""


def test_the_coordinator_conforms_in_every_schedule() -> None:
    result = fuzz(system(), schedules=60)
    assert (result.verdict, result.schedules) == ("ok", 60), result.found
    checked = check(system(agents=1, rounds=1), deviations=1)
    assert (checked.finding, checked.schedules > 100) == (None, True)


@pytest.mark.soak
def test_the_coordinator_conforms_in_very_many_schedules() -> None:
    result = fuzz(system(), schedules=2_000)
    assert (result.verdict, result.schedules) == ("ok", 2_000), result.found
    assert check(system(), deviations=1).finding is None
    small = check(system(agents=1, rounds=1).with_(faults=""), deviations=2)
    assert (small.finding, small.schedules > 2_000) == (None, True)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_shows_in_few_deviations_which_do_the_right_one_no_harm(mistake: str) -> None:
    schedule = LEAST[mistake]
    assert len(schedule) <= 2
    finding = simulate(system(mistake), Replay(schedule, then_usual=True)).finding
    assert finding is not None
    assert finding.property == "conforms"
    assert simulate(system(), Replay(schedule, then_usual=True)).finding is None


@pytest.mark.parametrize(
    ("mistake", "size", "schedules"),
    [
        ("forgets_late", (1, 1), 100),
        ("does_not_wait", (1, 2), 100),
        *(pytest.param(mistake, (2, 2), 600, marks=pytest.mark.soak) for mistake in MISTAKES),
    ],
)
def test_a_fuzz_finds_each_mistake(mistake: str, size: tuple[int, int], schedules: int) -> None:
    found = fuzz(system(mistake, *size), schedules=schedules).found
    assert [one.property for one in found] == ["conforms"]
    assert len(found[0].counterexample.schedule) <= 3


def test_a_mistake_that_nobody_planted_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"unknown mistake 'store_twice' \(did you mean 'stores_twice'\?\)"):
        system("store_twice")
