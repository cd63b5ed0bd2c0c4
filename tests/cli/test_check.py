"""`sim check` as a user meets it: the contracted numbers, counterexamples as files, bounds and interruption."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sim.cli import call


def check_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    status = call(["check", *arguments, "--json"])
    out, err = capsys.readouterr()
    assert err == ""
    return status, json.loads(out)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("managers", "counts"), [(3, (288, 1_146, 11)), (5, (8_832, 58_146, 17))])
def test_two_phase_commit_has_the_published_counts(
    managers: int, counts: tuple[int, int, int], capsys: pytest.CaptureFixture[str]
) -> None:
    status, data = check_json(capsys, "models.two_phase_commit", "--set", f"resource_managers={managers}")
    assert status == 0
    assert (data["states"], data["generated"], data["depth"]) == counts
    assert data["counterexample"] is None
    assert data["seconds"] <= data["seconds_total"]


@pytest.mark.parametrize(("clients", "states"), [(1, 265), (2, 16_668)])
def test_paxos_has_the_published_counts(clients: int, states: int, capsys: pytest.CaptureFixture[str]) -> None:
    status, data = check_json(capsys, "models.paxos", "--set", f"clients={clients}")
    assert (status, data["verdict"], data["states"]) == (0, "ok", states)
    assert clients == 1 or data["handler_calls"] * 20 < data["generated"]


def test_the_consensus_model_holds_within_its_default_bounds(capsys: pytest.CaptureFixture[str]) -> None:
    status, data = check_json(capsys, "models.consensus")
    assert (status, data["verdict"], data["counterexample"]) == (0, "ok", None)
    bounds = "\n".join(data["bounds"])
    for bound in ("agents=2", "retries=1", "stop=True", "duplicate:1, drop:1, crash:1@coordinator"):
        assert bound in bounds
    assert "never stuck" in data["proved"]


def test_without_sequencing_the_check_finds_a_short_counterexample_that_replays(
    capsys: pytest.CaptureFixture[str],
) -> None:
    status, data = check_json(capsys, "models.consensus", "--set", "sequencing=false")
    assert (status, data["verdict"], data["as_expected"]) == (1, "violated", False)
    found = data["counterexample"]
    assert found["steps"] <= 6
    assert found["steps"] == len(found["schedule"])
    assert call(["run", found["scenario"], "--json"]) == 0
    run = json.loads(capsys.readouterr().out)
    assert run["violation"]["property"] == found["property"]
    assert run["steps"] == found["steps"]


def test_bounds_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["check", "models.consensus", "--max-states", "100"]) == 4
    out = capsys.readouterr().out
    for bound in ("agents=2", "retries=1", "stop=True", "duplicate:1, drop:1, crash:1@coordinator"):
        assert bound in out
    assert "INCOMPLETE  100 states were reached" in out


def test_a_scenario_that_expects_its_violation_is_as_expected(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "expects.yaml"
    _, data = check_json(capsys, "models.consensus", "--set", "sequencing=false")
    shown = data["violation"]["property"]
    assert shown != "stop_once"
    path.write_text(
        f"model: models.consensus\nconfig: {{sequencing: false}}\nexpect: {{verdict: violated, violation: {shown}}}\n"
    )
    status, data = check_json(capsys, str(path))
    assert (status, data["as_expected"]) == (0, True)
    path.write_text(path.read_text().replace(shown, "stop_once"))
    assert check_json(capsys, str(path))[0] == 1


def test_a_counterexample_that_cannot_be_written_is_one_line_and_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken" / "models.consensus-first_usable.yaml").mkdir(parents=True)
    assert call(["check", "models.consensus", "--set", "sequencing=false", "--out", "taken"]) == 2
    assert "cannot be written" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["taken"]


def test_a_check_of_a_deadlock_names_who_waits_and_in_what_state(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, data = check_json(capsys, "models.consensus", "--set", "resends=0", "--set", "faults=drop:1")
    assert (status, data["violation"]["property"]) == (1, "stuck")
    assert "coordinator is in the hot state" in data["violation"]["message"]
    assert call(["run", data["counterexample"]["scenario"]]) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_check_says_what_it_covered(number: int, tmp_path: Path) -> None:
    screen, far_end = os.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "sim", "check", "models.consensus"],
        stdout=subprocess.PIPE,
        stderr=far_end,
        text=True,
        env={name: value for name, value in os.environ.items() if name != "CI"},
    )
    os.close(far_end)
    shown = b""
    while b"depth 3" not in shown:  # on a terminal a walk counts: now it has begun
        shown += os.read(screen, 1024)
    child.send_signal(number)
    out, _ = child.communicate(timeout=60)
    os.close(screen)
    assert child.returncode == 130, out
    assert "INCOMPLETE  interrupted" in out
    covered = re.search(r"([\d,]+) states, ([\d,]+) generated, depth (\d+)", out)
    assert covered is not None
    assert int(covered[3]) >= 3


def test_a_reduced_check_says_what_was_applied(capsys: pytest.CaptureFixture[str]) -> None:
    status, data = check_json(capsys, "models.two_phase_commit", "--set", "resource_managers=5", "--reduce")
    assert (status, data["verdict"], data["states"], data["reduced"]) == (0, "ok", 314, True)
    assert data["reductions"]["applied"] == ["symmetry of rm1, rm2, rm3, rm4 and rm5"]
    assert call(["check", "models.two_phase_commit", "--reduce"]) == 0
    out = capsys.readouterr().out
    assert "reduced by symmetry of rm1, rm2 and rm3: counts are of states that stand for many" in out
    assert "80 states (reduced), 318 generated, depth 11" in out
    _, data = check_json(capsys, "models.two_phase_commit")
    assert (data["reduced"], data["reductions"]) == (False, None)


def test_where_nothing_can_be_left_out_one_line_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    bounds = [word for key in ("agents=1", "retries=0", "resends=0") for word in ("--set", key)]
    call(["check", "models.consensus", *bounds, "--reduce"])
    lines = capsys.readouterr().out.splitlines()
    (said,) = [line for line in lines if "reduced" in line]
    assert said == "not reduced: no processes are declared interchangeable; no message settles or is dead"


def test_the_counterexample_of_a_reduced_check_replays(capsys: pytest.CaptureFixture[str]) -> None:
    faults = ["--set", "faults=crash:1@rm1"]
    status, data = check_json(capsys, "models.two_phase_commit", *faults, "--reduce")
    assert (status, data["verdict"]) == (1, "violated")
    assert data["reductions"]["applied"] == ["symmetry of rm2 and rm3"]
    scenario = Path(data["counterexample"]["scenario"])
    assert "A counterexample of a reduced check." in scenario.read_text(encoding="utf-8")
    assert call(["run", str(scenario)]) == 0
