"""`docs/consensus.md` and the counterexamples it lists are what comes out today."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench import consensus as bench
from bench.consensus_table import FOUND, RACES, Found
from models.consensus.switches import PROFILES, SWITCHES

SCENARIOS = sorted(bench.FOLDER.rglob("*.yaml"))


def test_the_page_is_current() -> None:
    assert bench.DOCUMENT.read_text(encoding="utf-8").splitlines() == list(bench.document())


def test_a_page_that_says_otherwise_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "said", lambda path: "ok")
    assert bench.DOCUMENT.read_text(encoding="utf-8").splitlines() != list(bench.document())


@pytest.mark.parametrize("found", FOUND, ids=lambda found: found.file)
def test_each_counterexample_is_what_a_check_finds_today(found: Found) -> None:
    path = bench.FOLDER / "found" / f"{found.file}.yaml"
    assert path.read_text(encoding="utf-8") == bench.file_of(found)
    assert bench.outcome_of(path).as_expected


@pytest.mark.parametrize("found", FOUND, ids=lambda found: found.file)
def test_ours_has_none_of_them_in_the_same_bounds(found: Found) -> None:
    ours = {key: value for key, value in found.config.items() if key not in ("profile", "switches")}
    if "resends" in ours:
        ours["resends"] = 1  # with a fault in the budget a request must be repeated, or nothing holds
    assert bench.search(replace(found, config=ours)).finding is None


def test_every_switch_is_in_a_profile_and_every_race_has_its_files() -> None:
    used = {name for profile in PROFILES.values() for name in SWITCHES if getattr(profile.switches, name)}
    assert used == set(SWITCHES)
    assert [race.name for race in RACES] == [f"R{n}" for n in range(1, 11)]


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_each_file_says_in_its_head_what_it_is(path: object) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()  # type: ignore[attr-defined]
    assert sum(line.startswith("# ") for line in lines[:4]) >= 2
