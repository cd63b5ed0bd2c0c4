"""Every planted bug is found by the default fuzz and by the check, and no sound twin is accused."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.bugs import __main__ as page
from bench.bugs import cells
from bench.bugs.table import BUGS, CONSENSUS, OUTSIDE, Bug
from sim import Graph, check, fuzz
from tests.saboteurs.consensus import SABOTEURS

SCHEDULES, SOUND_SCHEDULES = 1_000, 100
"""Within which seed 0 of the default fuzz finds any of them; and that it runs of each sound twin."""

each = pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
outside = pytest.mark.parametrize("bug", OUTSIDE, ids=lambda bug: bug.name)
LINES = page.DOCUMENT.read_text(encoding="utf-8").splitlines()


@pytest.fixture(autouse=True)
def _time_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is counted here does not depend on how busy the machine is."""
    monkeypatch.setattr(cells, "CELL_SECONDS_MAX", 3_600.0)


def test_there_are_enough_of_them_each_with_its_name() -> None:
    assert len(OUTSIDE) >= 15
    assert len(CONSENSUS) == len(SABOTEURS)
    assert len({bug.name for bug in BUGS}) == len(BUGS)
    assert all(bug.what.endswith(".") for bug in BUGS)


def test_no_module_of_a_bug_is_left_out_of_the_table() -> None:
    folder = Path(cells.__file__).parent
    others = {"__init__", "__main__", "cells", "machine", "table"}
    modules = {path.stem for path in folder.glob("*.py")} - others
    assert {bug.target for bug in OUTSIDE} == {f"bench.bugs.{module}" for module in modules}


@outside
def test_a_bug_is_written_with_public_names_alone(bug: Bug) -> None:
    source = (page.DOCUMENT.parents[1] / f"{bug.target.replace('.', '/')}.py").read_text(encoding="utf-8")
    imports = [line for line in source.splitlines() if line.startswith(("from ", "import "))]
    assert [line for line in imports if "sim" in line and not line.startswith("from sim import ")] == []


def test_the_saboteurs_are_found_by_check_and_fuzz_beside_their_own_tests() -> None:
    """There each is looked for with more seeds, so that only the others are looked for here."""
    assert max(saboteur.schedules for saboteur in SABOTEURS) <= SCHEDULES
    assert [(bug.name, bug.prop) for bug in CONSENSUS] == [(one.name, one.prop) for one in SABOTEURS]
    assert all(
        bug.planted == one.small and bug.sound == one.bounds for bug, one in zip(CONSENSUS, SABOTEURS, strict=True)
    )


@outside
def test_the_check_finds_it_in_the_smallest_bounds_and_its_twin_is_sound(bug: Bug) -> None:
    found = check(bug.planted())
    assert found.finding is not None
    assert found.finding.property == bug.prop
    sound = check(bug.sound())
    assert sound.verdict == "ok", sound.finding


ROWS_MAX = 2_000
"""Enough for every bug of which all that its processes could do is known at all: the others go on without end."""


@each
def test_a_reduced_check_says_the_same(bug: Bug, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sim.checker.reduction.reduction.ROWS_MAX", ROWS_MAX)
    found = check(bug.planted(), reduce=True)
    assert found.finding is not None
    assert found.finding.property == bug.prop
    assert check(bug.sound(), reduce=True).verdict == "ok"


@outside
def test_the_default_fuzz_finds_it_and_does_not_accuse_its_twin(bug: Bug) -> None:
    result = fuzz(bug.planted(), schedules=SCHEDULES)
    assert [found.property for found in result.found], f"not in {SCHEDULES} schedules"
    assert not fuzz(bug.sound(), schedules=SOUND_SCHEDULES).found


@outside
def test_without_its_faults_it_does_not_show(bug: Bug) -> None:
    """The budget is the smallest: a bug that needs none shows without."""
    shows = check(bug.planted().with_(faults="none")).verdict == "violated"
    assert shows == (not bug.planted().budget)


@pytest.mark.parametrize("machine", cells.MACHINES)
def test_a_machine_of_hypothesis_finds_a_bug_and_does_not_accuse_its_twin(
    machine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cells, "EXAMPLES_MAX", 200)
    for bug in OUTSIDE:
        if bug.name in ("Deadlock", "Lost update", "Livelock"):
            assert cells.tried(Graph(bug.planted()), machine).found
    monkeypatch.setattr(cells, "EXAMPLES_MAX", 30)
    sound = cells.tried(Graph(OUTSIDE[0].sound()), machine)
    assert (sound.found, sound.tries) == (False, 30)


def test_a_cell_counts_what_the_fuzz_runs_and_takes_the_median() -> None:
    graph = Graph(OUTSIDE[0].planted())
    counted = sorted(fuzz(graph, strategy="pctcp", seed=seed).found[0].number + 1 for seed in range(cells.SEEDS))
    assert cells.fuzzed(graph, "pctcp").tries == counted[len(counted) // 2]
    found, missed = cells.Cell(True, 3, 1.0), cells.Cell(False, 9, 2.0)
    assert cells.middle([found, missed, found]) == found
    assert cells.middle([missed, found, missed]) == missed
    assert page.tries(missed) == "> 9"
    assert page.seconds(missed) == "-"


def test_a_cell_without_time_finds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "CELL_SECONDS_MAX", 0.0)
    sound = Graph(OUTSIDE[0].sound())
    assert not cells.fuzzed(sound, "uniform").found
    assert not cells.tried(sound, "plain machine").found


@outside
def test_the_page_describes_it_as_it_is_today(bug: Bug) -> None:
    assert page.described(bug) in LINES


@each
def test_the_page_has_its_schedules_and_its_seconds(bug: Bug) -> None:
    assert sum(line.startswith(f"| {bug.name} |") for line in LINES) == (3 if bug in OUTSIDE else 2)


QUICK = [bug for bug in OUTSIDE if bug.name in ("Deadlock", "Tie", "Lost wake-up")]


@pytest.mark.parametrize("bug", QUICK, ids=lambda bug: bug.name)
def test_the_page_counts_the_schedules_of_today(bug: Bug, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = Graph(bug.planted())
    counted = " | ".join(page.tries(cells.fuzzed(graph, strategy)) for strategy in cells.STRATEGIES)
    assert any(line.startswith(f"| {bug.name} | {counted} |") for line in LINES)
    monkeypatch.setattr(cells, "SEEDS", 1)
    fewer = " | ".join(page.tries(cells.Cell(True, 77, 0.0)) for _ in cells.STRATEGIES)
    assert not any(line.startswith(f"| {bug.name} | {fewer} |") for line in LINES), (
        "a page that says otherwise is caught"
    )


@pytest.mark.soak
@each
def test_the_whole_page_counts_the_schedules_of_today(bug: Bug) -> None:
    graph = Graph(bug.planted())
    counted = " | ".join(page.tries(cells.fuzzed(graph, strategy)) for strategy in cells.STRATEGIES)
    assert any(line.startswith(f"| {bug.name} | {counted} |") for line in LINES)
