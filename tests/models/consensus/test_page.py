"""`docs/consensus.md` and the counterexamples it lists are what comes out today."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from bench import consensus as bench
from bench.consensus_table import FOUND, RACES, Found
from models.consensus.options import AROUND
from models.consensus.references.profiles import PROFILES
from models.consensus.references.switches import SWITCHES
from sim import check
from sim.scenario import load_scenario, load_target

SCENARIOS = sorted(bench.FOLDER.rglob("*.yaml"))
each = pytest.mark.parametrize("found", FOUND, ids=lambda found: found.file)

OTHERS = {"queue_unbounded"}
"""What tells versions apart, and is shown by `r2_thirty_updates_reference_old.yaml`."""

LONGER_WITHOUT = {"d9_cleared_by_stop", "d11_cancel_unacked"}
"""Where a run that has failed (D3) forgets as much, later."""


def test_the_page_is_current() -> None:
    assert bench.DOCUMENT.read_text(encoding="utf-8").splitlines() == list(bench.document())


def test_a_page_that_says_otherwise_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "said", lambda path: "ok")
    assert bench.DOCUMENT.read_text(encoding="utf-8").splitlines() != list(bench.document())


@each
def test_each_counterexample_is_what_a_check_finds_today(found: Found) -> None:
    path = bench.FOLDER / "found" / f"{found.file}.yaml"
    assert path.read_text(encoding="utf-8") == bench.file_of(found)
    assert bench.outcome_of(path).as_expected


@each
def test_its_command_finds_it(found: Found) -> None:
    sim, check_, model, *settings = shlex.split(found.command)
    assert (sim, check_, settings[::2]) == ("sim", "check", ["--set"] * (len(settings) // 2))
    target = load_target(model, dict(setting.split("=", 1) for setting in settings[1::2]))
    kept = load_scenario(bench.FOLDER / "found" / f"{found.file}.yaml")
    result = check(target.system)
    assert result.finding is not None
    assert result.finding.property == kept.expect.violation
    assert [str(action.address) for action in result.path] == [item.text for item in kept.schedule or ()]


@each
def test_ours_has_none_of_them_in_the_same_bounds(found: Found) -> None:
    """All properties hold there, and nothing is stuck."""
    result = bench.ours(found.file)
    assert result.verdict == "ok", result.finding


@each
def test_it_is_its_switch_that_does_it(found: Found, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it the same check finds nothing, or nothing as short."""
    if "switches" in found.config:
        assert found.config["switches"] == (found.switch,)
        return
    name = found.config.get("profile", "unsequenced")
    with_it = PROFILES[name]
    assert getattr(with_it.switches, found.switch)
    steps = len(bench.search(found).path)
    without = replace(with_it.switches, **{found.switch: False})
    monkeypatch.setitem(PROFILES, name, replace(with_it, switches=without))
    result = bench.search(found)
    assert result.finding is None or (found.file in LONGER_WITHOUT and len(result.path) > steps)


def around(found: Found) -> bool:
    """Whether it is about what is around the stages, where no other switch is looked at."""
    return any(found.config.get(name) for name in AROUND)


def test_each_is_found_in_a_whole_profile_but_for_those_that_another_defect_hides_there() -> None:
    alone = [found.switch for found in FOUND if "switches" in found.config and not around(found)]
    assert alone == [
        "counts_from_zero",
        "artifacts_kept",
        "agents_by_alias",
        "mirror_late",
        "history_counts",
        "verdict_fed_back",
    ]


def test_every_switch_is_in_a_profile_and_has_a_row_and_every_race_has_its_files() -> None:
    used = {name for profile in PROFILES.values() for name in SWITCHES if getattr(profile.switches, name)}
    assert used == set(SWITCHES)
    assert {found.switch for found in FOUND} == set(SWITCHES) - OTHERS
    assert [race.name for race in RACES] == [f"R{n}" for n in range(1, 11)]


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_each_file_says_in_two_sentences_what_happens_and_why_it_matters(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()[1:]
    head = lines[: next(n for n, line in enumerate(lines) if not line.startswith("#"))]
    said = " ".join(line.removeprefix("# ") for line in head if not line.startswith("# Found by: "))
    assert said.count(". ") + said.endswith(".") >= 2, said
