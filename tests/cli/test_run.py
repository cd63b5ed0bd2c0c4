"""`sim run` as a user meets it: exit statuses, JSON keys, and one clear line for each mistake."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sim.cli import call

ROOT = Path(__file__).parents[2]
SCENARIOS = sorted((ROOT / "scenarios").rglob("*.yaml"))
ROUND = str(ROOT / "scenarios/consensus/round.yaml")
R8 = str(ROOT / "scenarios/consensus/r8_late_original.yaml")
TWIN = str(ROOT / "scenarios/consensus/r8_late_original_unsequenced.yaml")


def run_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    status = call(["run", *arguments, "--json"])
    out, err = capsys.readouterr()
    assert err == "" or (err.startswith("sim: faults are on: ") and err.count("\n") == 1)
    return status, json.loads(out)


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_every_scenario_is_as_expected(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, data = run_json(capsys, str(path))
    assert (status, data["as_expected"], data["missed"]) == (0, True, [])


@pytest.mark.parametrize("race", ["r1", "r7", "r8"])
def test_each_race_passes_with_sequencing_and_shows_its_violation_without(race: str) -> None:
    paths = [
        p for p in SCENARIOS if p.stem.startswith(race + "_") and "reference" not in p.stem and p.parent.name != "found"
    ]
    texts = [path.read_text() for path in paths]
    assert len(paths) == 2
    assert ["sequencing: false" in text for text in texts] == [False, True]
    ours, twin = texts
    assert "verdict: ok" in ours
    assert "verdict: violated" in twin
    mended = twin.replace("sequencing: false", "sequencing: true")
    folder = paths[0].parent
    from sim.run.of_scenario import simulate_scenario
    from sim.scenario import parse_scenario

    scenario = parse_scenario(mended, folder / "mended.yaml")
    assert simulate_scenario(scenario).finding is None


def test_the_contracted_keys_are_there(capsys: pytest.CaptureFixture[str]) -> None:
    _, data = run_json(capsys, ROUND)
    assert {"verdict", "as_expected", "digest", "steps", "emitted", "rejected", "faults", "metrics"} <= data.keys()
    assert data["verdict"] == "ok"
    assert data["faults"] == {"planned": {}, "struck": {}}
    assert len(data["digest"]) == 64
    assert data["emitted"]["Decided"] == 1
    assert data["rejected"] == {"late": 1}


def test_several_files_give_a_list_of_runs(capsys: pytest.CaptureFixture[str]) -> None:
    status, data = run_json(capsys, R8, TWIN)
    assert status == 0
    assert [run["verdict"] for run in data["runs"]] == ["ok", "violated"]
    assert [run["violation"] and run["violation"]["property"] for run in data["runs"]] == [None, "exactly_once_inputs"]


def test_a_plan_on_the_command_line_strikes_and_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    status, data = run_json(capsys, ROUND, "--faults", "drop:1@claude,crash:1@coordinator after Store")
    assert status in (0, 1)
    assert data["faults"]["planned"] == {"drop": 1, "crash": 1}
    assert data["faults"]["struck"] == {"drop": 1, "crash": 1}


def test_a_missed_expectation_is_said_and_is_status_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = Path(R8).read_text().replace("rejected: {duplicate: 1}", "rejected: {duplicate: 2}")
    path = tmp_path / "wrong.yaml"
    path.write_text(text.replace("  emitted: {Counted: 3, Applied: 1, Accepted: 1}\n", ""))
    status, data = run_json(capsys, str(path))
    assert (status, data["as_expected"]) == (1, False)
    assert data["missed"] == ["rejected: expected 2 duplicate, got 1"]


def test_an_unexpected_violation_is_status_one_and_an_expected_one_zero(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "twin.yaml"
    path.write_text(
        Path(TWIN)
        .read_text()
        .replace("verdict: violated", "verdict: ok")
        .replace("  violation: exactly_once_inputs\n", "")
    )
    status, data = run_json(capsys, str(path))
    assert (status, data["verdict"]) == (1, "violated")
    status, data = run_json(capsys, TWIN)
    assert (status, data["verdict"], data["as_expected"]) == (0, "violated", True)


def test_another_violation_than_the_expected_one_is_status_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "twin.yaml"
    path.write_text(Path(TWIN).read_text().replace("violation: exactly_once_inputs", "violation: ack_gate"))
    status, data = run_json(capsys, str(path))
    assert status == 1
    assert data["missed"][0].startswith("violation: expected ack_gate, got exactly_once_inputs")


def test_a_bound_on_steps_that_is_hit_is_status_four(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "short.yaml"
    path.write_text("model: models.consensus\nconfig: {stop: false}\nsteps: 3\n")
    status, data = run_json(capsys, str(path))
    assert (status, data["verdict"], data["steps"]) == (4, "incomplete", 3)


def test_a_schedule_that_does_not_fit_says_at_which_step_and_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text(
        "model: models.consensus\nschedule:\n  - move coordinator.boot\n"
        "  - deliver gemini->coordinator Response(round=1)\n"
    )
    assert call(["run", str(path)]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "odd.yaml:4:5: step 2: deliver" in err
    assert "none was sent yet" in err
    assert "deliver coordinator->gemini Ask" in err


def test_the_printed_trace_can_be_followed(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["run", ROUND]) == 0
    out = capsys.readouterr().out
    for part in (
        "6ms  claude       from coordinator: Ask(",
        "asking -> storing",
        "* Rejected(",
        "digest ",
        "replay      sim run",
    ):
        assert part in out


def test_the_replay_command_gives_the_same_digest(capsys: pytest.CaptureFixture[str]) -> None:
    _, data = run_json(capsys, ROUND, "--seed", "99", "--set", "agents=2")
    words = data["replay"].split()
    assert words[:2] == ["sim", "run"]
    _, again = run_json(capsys, *words[2:])
    assert again["digest"] == data["digest"]


@pytest.mark.parametrize(
    ("encoding", "option"), [("utf-8:strict", "--json"), ("utf-8:strict", "--metrics"), ("ascii:strict", "--json")]
)
def test_a_name_that_is_no_text_is_printed_so_that_it_can_be_read(encoding: str, option: str, tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"odd\xff.yaml")
    odd.write_bytes(Path(R8).read_bytes())
    done = subprocess.run(
        [sys.executable, "-m", "sim", "run", odd.name, option],
        cwd=tmp_path,
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    if option == "--json":
        assert json.loads(done.stdout)["replay"] == f"sim run '{odd.name}'"
    else:
        assert b"replay      sim run 'odd\\udcff.yaml'" in done.stdout


def test_a_campaign_refuses_a_name_that_it_could_not_keep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = tmp_path / os.fsdecode(b"odd\xff.yaml")
    odd.write_text("model: models.paxos\n")
    monkeypatch.chdir(tmp_path)
    assert call(["fuzz", odd.name, "--workers", "1"]) == 2
    err = capsys.readouterr().err
    assert err == "sim: 'odd\\udcff.yaml': a campaign is stored under this name, which is not UTF-8; rename it\n"
    assert [*tmp_path.iterdir()] == [odd]


MISTAKES: list[tuple[list[str], str]] = [
    (["run"], "Missing argument"),
    (["run", "no/such.yaml"], "no such file"),
    (["run", "scenarios"], "is a directory"),
    (["run", ROUND, "--seed", "-1"], "--seed"),
    (["run", ROUND, "--faults", "drp:1"], "did you mean 'drop'"),
    (["run", ROUND, "--faults", "drop"], "malformed"),
    (["run", R8, "--faults", "drop:1"], "next to an explicit schedule"),
    (["run", ROUND, "--set", "agents"], "KEY=VALUE"),
    (["run", ROUND, "--set", "agent=2"], "did you mean 'agents'"),
    (["run", ROUND, "--set", "agents=two"], "agents"),
    (["run", ROUND, "--set", "agents=9"], "1 to 3"),
    (["run", ROUND, "--set", "agents=1", "--set", "agents=2"], "twice"),
    (["run", ROUND, "--sed", "1"], "--sed"),
    (["run", ROUND, "--seed", "x"], "'--seed': 'x' is not a valid whole number."),
    (["rum", ROUND], "unknown command 'rum' (did you mean 'run'?): use run, "),
    (
        ["run", "tests/report/runs.py"],
        "tests/report/runs.py: is Python, not a scenario; name a model by its module: sim check tests.report.runs",
    ),
    (["check", "LICENSE.py"], "LICENSE.py: no such file"),
    (["check", "models.consensus.system"], "did you mean 'models.consensus'?"),
    (["run", ROUND, "--export", "mermaid"], "--export 'mermaid': write --export mermaid=FILE"),
    (["fuzz", "models.paxos", "--for", "5"], "--for '5' is not a duration; write a number and a unit"),
    (["fuzz", "models.paxos", "--engine", "dsk"], "unknown engine 'dsk' (did you mean 'dask'?)"),
    (["check", "models.consensu"], "models.consensus"),
    (["check", "no_such_model"], "no_such_model"),
    (["check", "models.paxos", "--max-states", "0"], "--max-states"),
    (["check", "models.paxos", "--set", "faults=reorder:1"], "fifo"),
    (["check", "models.two_phase_commit", "--set", "faults=duplicate:1"], "set"),
    (["check", "models.paxos", "--set", "clients=0"], "clients is 0; must be 1 to 26"),
    (
        ["check", "models.two_phase_commit", "--set", "resource_managers=-1"],
        "resource_managers is -1; must be 1 to 1,000",
    ),
    (["check", "os"], "os.system is not a Python function"),
]


@pytest.mark.parametrize(
    ("arguments", "said"), MISTAKES, ids=lambda value: " ".join(value) if isinstance(value, list) else ""
)
def test_a_mistake_is_one_clear_line_and_status_two(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert "Traceback" not in err
    assert err.count("\n") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("json_flag", [(), ("--json",)], ids=["text", "json"])
def test_an_output_that_cannot_be_written_is_one_line_and_status_two(json_flag: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "sim", "run", ROUND, *json_flag],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "standard output cannot be written" in done.stderr


def test_the_mistakes_of_all_files_are_told_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.yaml").write_text("model: models.consensus\nsede: 1\nsteps: -1\n")
    assert call(["run", str(tmp_path / "one.yaml"), str(tmp_path / "two.yaml")]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 4
    assert "one.yaml:2:1:" in lines[0]
    assert "did you mean 'seed'" in lines[0]
    assert "two.yaml:3:8:" in lines[3]


def test_an_interrupted_run_keeps_what_was_finished(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from sim.cli import run

    real, calls = run.simulate_scenario, []

    def second_is_interrupted(*arguments: Any, **options: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*arguments, **options)

    monkeypatch.setattr(run, "simulate_scenario", second_is_interrupted)
    assert call(["run", R8, TWIN, ROUND, "--json"]) == 130
    out, err = capsys.readouterr()
    assert [data["verdict"] for data in json.loads(out)["runs"]] == ["ok"]
    assert "1 of 3" in err
