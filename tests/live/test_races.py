"""Each known shape of race is found by the default fuzz, as what it is and in few deviations; no fixed twin is accused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bench.races import __main__ as page
from bench.races.table import RACES, Race
from bench.races.token import system as token
from sim import fuzz, simulate
from sim.strategy import Canonical

ROOT = Path(__file__).parents[2]
SCHEDULES = 500
"""Within which seed 0 of the default fuzz finds each of them: well under two seconds."""
DEVIATIONS_MAX = 3
SOUND_SCHEDULES = 300
"""Of each twin; the soak takes 2,000."""

each = pytest.mark.parametrize("race", RACES, ids=lambda race: race.target.rpartition(".")[2])


def test_no_module_of_a_race_is_left_out_of_the_table() -> None:
    modules = {path.stem for path in (ROOT / "bench" / "races").glob("*.py")} - {"__init__", "__main__", "table"}
    assert {race.target for race in RACES} == {f"bench.races.{module}" for module in modules}
    assert len({race.name for race in RACES}) == len(RACES)
    assert all(race.what.endswith(".") for race in RACES)


def test_the_page_says_of_each_what_goes_wrong_and_where_it_was_seen() -> None:
    written = page.DOCUMENT.read_text(encoding="utf-8")
    assert [race.name for race in RACES if page.head(race) not in written] == []
    assert page.head(replace(RACES[0], seen="nowhere")) not in written


@each
def test_a_race_is_written_with_public_names_alone(race: Race) -> None:
    source = (ROOT / f"{race.target.replace('.', '/')}.py").read_text(encoding="utf-8")
    imports = [line for line in source.splitlines() if line.startswith(("from ", "import "))]
    allowed = ("from sim import ", "from bench.races.")
    assert [line for line in imports if "sim" in line and not line.startswith(allowed)] == []


@each
def test_the_default_fuzz_finds_it_as_what_it_is_in_few_deviations(race: Race) -> None:
    result = fuzz(race.racy(), schedules=SCHEDULES)
    assert [found.property for found in result.found] == [race.prop], f"in {result.schedules} schedules"
    least = result.found[0].counterexample
    assert 1 <= least.deviations <= DEVIATIONS_MAX, least.schedule


def accused(race: Race, schedules: int, seed: int = 0) -> list[str]:
    """What a fuzz says of the fixed twin, in words."""
    result = fuzz(race.fixed(), schedules=schedules, seed=seed)
    assert result.found or (result.verdict, result.schedules) == ("ok", schedules)
    return [f"{found.property}: {found.message}: {found.schedule}" for found in result.found]


@each
def test_its_twin_is_not_accused(race: Race) -> None:
    assert accused(race, SOUND_SCHEDULES) == []


@pytest.mark.soak
@each
def test_its_twin_is_not_accused_in_many_schedules(race: Race) -> None:
    assert accused(race, 2_000, seed=1) == []


def test_a_twin_with_the_race_would_be_accused() -> None:
    assert accused(replace(RACES[0], fixed=RACES[0].racy), SCHEDULES) != []


@each
def test_it_does_not_show_in_the_usual_order(race: Race) -> None:
    """What a test on the stock loop would see."""
    assert simulate(race.racy(), Canonical()).finding is None


@each
def test_without_its_faults_it_does_not_show(race: Race) -> None:
    budget = race.racy().budget
    result = fuzz(race.racy().with_(faults="none"), schedules=100 if budget else SCHEDULES)
    assert bool(result.found) == (not budget)


def test_order_alone_grants_a_token_twice_and_never_in_the_order_of_the_standard_library() -> None:
    assert fuzz(token(order="any"), schedules=SCHEDULES).found
    assert not fuzz(token(order="fifo"), schedules=SCHEDULES).found
