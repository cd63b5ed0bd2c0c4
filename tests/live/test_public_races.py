"""The table of races in released libraries is whole and pinned; what is measured is left to `make test-public-races`."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from bench.live.libraries import CLIENTS, PINS, measured, simulated
from bench.public_races import __main__ as page
from bench.public_races.places import PLACES, place
from bench.public_races.table import RACES, PublicRace

ROOT = Path(__file__).parents[2]
HELPERS = {
    "__init__", "__main__", "answers", "http_server", "measure", "places", "redis_clients", "redis_server", "table",
}  # fmt: skip

each = pytest.mark.parametrize("race", RACES, ids=lambda race: race.module)


def test_no_program_is_left_out_of_the_table() -> None:
    modules = {path.stem for path in (ROOT / "bench" / "public_races").glob("*.py")} - HELPERS
    assert [race.module for race in RACES] == list(dict.fromkeys(race.module for race in RACES))
    assert {race.module for race in RACES} == modules


@each
def test_every_version_is_pinned_with_all_that_it_needs(race: PublicRace) -> None:
    for pin in race.pins(race.version) + (race.pins(race.mended) if race.mended else ()):
        assert re.fullmatch(r"[\w-]+==\d[\w.]*", pin)


@each
def test_a_program_is_written_with_public_names_alone_and_without_a_hint(race: PublicRace) -> None:
    source = (ROOT / "bench" / "public_races" / f"{race.module}.py").read_text(encoding="utf-8")
    imports = [line for line in source.splitlines() if line.startswith(("from ", "import "))]
    assert [line for line in imports if re.search(r"\bsim\b", line) and not line.startswith("from sim import ")] == []
    assert re.findall(r"faults=\"([^\"]*)\"", source) in ([], ["cancel:1@client"], ["cancel:1@receiver"])
    assert "order=" not in source


def test_the_page_says_of_each_what_goes_wrong_and_what_was_measured() -> None:
    written = page.DOCUMENT.read_text(encoding="utf-8")
    assert [race.module for race in RACES if page.head(race) not in written] == []
    assert page.head(replace(RACES[0], seen="nowhere")) not in written
    for race in RACES:
        cells = next(line for line in written.splitlines() if line.startswith(f"| {race.library} {race.version} |"))
        assert cells.endswith("| ok |" if race.mended else "| not yet |  |")


def test_a_place_depends_on_every_pin() -> None:
    pins = RACES[0].pins(RACES[0].version)
    assert place(pins).parent == PLACES
    assert place(pins) == place(list(pins)) != place((*pins, "idna==3.9"))


def test_libraries_are_pinned_and_what_needs_none_runs_here() -> None:
    assert list(PINS) == list(CLIENTS)
    assert all(re.fullmatch(r"[\w-]+==\d[\w.]*", pin) for pins in PINS.values() for pin in pins)
    rate, choices = measured(simulated("raw streams"), 0.0)
    assert rate > 0
    assert choices > 3
