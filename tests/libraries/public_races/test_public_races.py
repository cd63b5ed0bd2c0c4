"""Each race that was reported in public is found in the library as it was released, and not where it is mended."""

from __future__ import annotations

from functools import cache

import pytest

from bench.public_races.measure import Found, found_in
from bench.public_races.places import install
from bench.public_races.table import RACES, PublicRace

SEEDS = 5
SOUND_SCHEDULES = 2_000
REQUIRED_DEVIATIONS = {"redis_reply": 2, "anyio_stream": 2}

each = pytest.mark.parametrize("race", RACES, ids=lambda race: race.module)
mended = pytest.mark.parametrize("race", [race for race in RACES if race.mended], ids=lambda race: race.module)


@cache
def in_the_version_that_has_it(race: PublicRace) -> list[Found]:
    return found_in(race, race.version, seeds=range(SEEDS), schedules=race.finds)


@each
def test_the_default_fuzz_finds_it_as_what_it_is_with_every_seed(race: PublicRace) -> None:
    found = in_the_version_that_has_it(race)
    assert {one.property for one in found} <= {*race.props}, found


@each
def test_it_is_minimised_to_few_deviations(race: PublicRace) -> None:
    most = max(one.deviations for one in in_the_version_that_has_it(race))
    assert 1 <= most <= REQUIRED_DEVIATIONS.get(race.module, 3)


@mended
def test_where_it_is_mended_nothing_is_found(race: PublicRace) -> None:
    (found,) = found_in(race, race.mended, seeds=range(1), schedules=SOUND_SCHEDULES)
    assert found == Found(SOUND_SCHEDULES)


def test_the_version_that_is_asked_for_is_the_one_that_runs() -> None:
    """Whatever is installed beside it."""
    race = RACES[0]
    for version in (race.version, race.mended):
        assert (install(race.pins(version)) / f"{race.library}-{version}.dist-info").is_dir()
    assert found_in(race, race.version, seeds=range(1), schedules=race.finds)[0].property
