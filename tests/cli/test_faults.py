"""Faults on the command line: from the environment behind its gate, from a file, from an option."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from sim.cli import call

ROOT = Path(__file__).parents[2]
ROUND = str(ROOT / "scenarios/consensus/round.yaml")
R8 = str(ROOT / "scenarios/consensus/r8_late_original.yaml")
PLAN = "agent_timeout:3,consensus_fail:1"


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("SPEC_KIT_FAULTS", "CODEX_FAULTS", "SIM_DEV_FAULTS")):
            monkeypatch.delenv(name)


def set_up(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


def run_json(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> tuple[dict[str, Any], str]:
    assert call(["run", *arguments, "--json"]) == status
    out, err = capsys.readouterr()
    return json.loads(out), err


def test_a_plan_of_the_environment_strikes_exactly_and_twice_alike(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up(monkeypatch, SIM_DEV_FAULTS="1", SPEC_KIT_FAULTS=PLAN, SPEC_KIT_FAULTS_SCOPE="spec_kit")
    data, err = run_json(capsys, ROUND)
    assert err == "sim: faults are on: agent_timeout:3, consensus_fail:1 (SPEC_KIT_FAULTS)\n"
    counts = {"agent_timeout": 3, "consensus_fail": 1}
    assert data["faults"] == {"planned": counts, "struck": counts}
    assert (data["verdict"], data["as_expected"]) == ("ok", True)
    again, _ = run_json(capsys, ROUND)
    assert again["digest"] == data["digest"]
    assert call(["run", ROUND]) == 0
    trace = capsys.readouterr().out
    assert trace.count("(under agent_timeout)") == 3
    assert trace.count("(under consensus_fail)") == 1


def test_the_replay_command_strikes_the_same_without_the_environment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import shlex

    with monkeypatch.context() as patch:
        set_up(patch, SIM_DEV_FAULTS="1", SPEC_KIT_FAULTS=PLAN)
        data, _ = run_json(capsys, ROUND)
    words = shlex.split(data["replay"])
    again, err = run_json(capsys, *words[2:])
    assert again["digest"] == data["digest"]
    assert err.startswith("sim: faults are on: agent_timeout:3, consensus_fail:1 (--faults)")


@pytest.mark.parametrize("variable", ["SPEC_KIT_FAULTS", "CODEX_FAULTS"])
@pytest.mark.parametrize("opt_in", [{}, {"SIM_DEV_FAULTS": "0"}, {"SIM_DEV_FAULTS": "true"}])
@pytest.mark.parametrize("plan", [PLAN, "utter nonsense"])
def test_a_plan_alone_changes_nothing_but_one_line(
    variable: str,
    opt_in: dict[str, str],
    plan: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    plain, err = run_json(capsys, ROUND)
    assert err == ""
    set_up(monkeypatch, **{variable: plan}, **opt_in)
    data, err = run_json(capsys, ROUND)
    assert data == plain
    assert err == f"sim: {variable} has no effect without SIM_DEV_FAULTS=1\n"


def test_an_opt_in_alone_changes_nothing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    plain, _ = run_json(capsys, ROUND)
    set_up(monkeypatch, SIM_DEV_FAULTS="1")
    assert run_json(capsys, ROUND) == (plain, "")


def test_the_older_spelling_is_understood(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    set_up(
        monkeypatch,
        SIM_DEV_FAULTS="1",
        CODEX_FAULTS="disconnect:2,429:1",
        CODEX_FAULTS_SCOPE="auto_drive",
        CODEX_FAULTS_429_RESET="2025-01-01T00:00:20Z",
    )
    data, err = run_json(capsys, ROUND)
    assert data["faults"]["struck"] == {"disconnect": 2, "rate_limited": 1}
    assert err == "sim: faults are on: disconnect:2, rate_limited:1(20s) (CODEX_FAULTS)\n"


def test_an_instant_counts_from_the_epoch_of_the_scenario(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "later.yaml"
    path.write_text(Path(ROUND).read_text().replace("seed: 7", "seed: 7\nepoch: 2030-05-05T12:00:00Z"))
    set_up(
        monkeypatch,
        SIM_DEV_FAULTS="1",
        SPEC_KIT_FAULTS="rate_limited:1",
        SPEC_KIT_FAULTS_AGENT="gemini",
        SPEC_KIT_FAULTS_RESET="2030-05-05T12:00:25Z",
    )
    _, err = run_json(capsys, str(path))
    assert "rate_limited:1@gemini(25s) (SPEC_KIT_FAULTS)" in err


def test_the_nearest_plan_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "planned.yaml"
    path.write_text(Path(ROUND).read_text().replace("seed: 7", "seed: 7\nfaults: disconnect:1"))
    data, err = run_json(capsys, str(path))
    assert data["faults"]["struck"] == {"disconnect": 1}
    assert err == f"sim: faults are on: disconnect:1 ({path})\n"
    set_up(monkeypatch, SIM_DEV_FAULTS="1", SPEC_KIT_FAULTS="empty_response:1")
    assert run_json(capsys, str(path))[0]["faults"]["struck"] == {"empty_response": 1}
    data, err = run_json(capsys, str(path), "--faults", "agent_timeout:1")
    assert data["faults"]["struck"] == {"agent_timeout": 1}
    assert err.splitlines() == [
        "sim: SPEC_KIT_FAULTS has no effect: the command line gives a plan",
        "sim: faults are on: agent_timeout:1 (--faults)",
    ]


def test_a_plan_among_the_settings_is_said_to_come_from_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    on = "sim: faults are on: drop:1 (--set faults)"
    assert run_json(capsys, ROUND, "--set", "faults=drop:1")[1].splitlines() == [on]
    set_up(monkeypatch, SIM_DEV_FAULTS="1", SPEC_KIT_FAULTS="empty_response:1", CODEX_FAULTS="disconnect:1")
    assert run_json(capsys, ROUND, "--set", "faults=drop:1")[1].splitlines() == [
        "sim: SPEC_KIT_FAULTS and CODEX_FAULTS have no effect: the command line gives a plan",
        on,
    ]


def test_delays_and_pauses_are_planned_struck_and_in_the_trace(capsys: pytest.CaptureFixture[str]) -> None:
    plan = "delay:1@gemini->coordinator(5s),pause:1@coordinator(2s)"
    data, _ = run_json(capsys, ROUND, "--faults", plan)
    assert data["faults"] == {"planned": {"delay": 1, "pause": 1}, "struck": {"delay": 1, "pause": 1}}
    assert call(["run", ROUND, "--faults", plan]) == 0
    out = capsys.readouterr().out
    assert "coordinator  from gemini: Response takes 5s longer" in out
    assert "0ms               coordinator pauses for 2s" in out


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"SPEC_KIT_FAULTS": "agent_timeout"}, "SPEC_KIT_FAULTS: fault 'agent_timeout' is malformed"),
        ({"SPEC_KIT_FAULTS": "agent_timeuot:1"}, "did you mean 'agent_timeout'"),
        (
            {"SPEC_KIT_FAULTS": "agent_timeout:1@gemni"},
            "SPEC_KIT_FAULTS: fault 'agent_timeout:1@gemni': unknown process 'gemni'",
        ),
        ({"SPEC_KIT_FAULTS": "drop:1", "SPEC_KIT_FAULTS_SCOPE": "speckti"}, "did you mean 'spec_kit'"),
        ({"CODEX_FAULTS": "429:1", "CODEX_FAULTS_429_RESET": "soon"}, "CODEX_FAULTS_429_RESET: 'soon'"),
    ],
)
def test_a_mistake_behind_an_open_gate_is_one_clear_line_and_status_two(
    variables: dict[str, str], says: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up(monkeypatch, SIM_DEV_FAULTS="1", **variables)
    assert call(["run", ROUND]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert says in err


def test_an_explicit_schedule_refuses_the_environments_plan_and_a_closed_gate_does_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up(monkeypatch, SPEC_KIT_FAULTS="drop:1")
    assert run_json(capsys, R8)[0]["as_expected"]
    set_up(monkeypatch, SIM_DEV_FAULTS="1")
    assert call(["run", R8]) == 2
    err = capsys.readouterr().err
    assert "SPEC_KIT_FAULTS next to an explicit schedule" in err
    assert err.count("\n") == 1


def test_an_uniform_run_refuses_delays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "uniform.yaml"
    path.write_text("model: models.consensus\nstrategy: uniform\nfaults: delay:1@gemini(5s)\n")
    assert call(["run", str(path)]) == 2
    assert "the strategy uniform has no clock" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["check"], ["fuzz", "--schedules", "3"]])
def test_what_explores_takes_the_environments_plan_as_its_budget(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    target = ["models.consensus", "--set", "agents=1", "--set", "stop=false", "--out", str(tmp_path)]
    set_up(monkeypatch, SPEC_KIT_FAULTS="disconnect:1")
    assert call([*command, *target, "--set", "faults=none"]) == 0
    out, err = capsys.readouterr()
    assert "faults    none" in out
    assert "has no effect without" in err
    set_up(monkeypatch, SIM_DEV_FAULTS="1")
    assert call([*command, *target]) == 0
    out, err = capsys.readouterr()
    assert "faults    disconnect:1" in out
    assert err == "sim: faults are on: disconnect:1 (SPEC_KIT_FAULTS)\n"
    set_up(monkeypatch, SPEC_KIT_FAULTS="delay:1(5s)")
    assert call([*command, *target]) == 2


def test_a_verified_run_is_the_same_elsewhere_with_a_plan_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up(monkeypatch, SIM_DEV_FAULTS="1", SPEC_KIT_FAULTS=PLAN)
    data, _ = run_json(capsys, ROUND, "--verify")
    assert data["verified"] is True
