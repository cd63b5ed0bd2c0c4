"""The gate: off unless switched on twice; off, one warning line at most; on, one line that says so."""

from __future__ import annotations

import pytest

from sim import ConfigError
from sim.faults import AgentTimeoutError, close_gate, faults_left, next_fault, open_gate

PLAN = "agent_timeout:1@gemini"


def set_up(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


def test_without_variables_nothing_is_said_and_nothing_struck(capsys: pytest.CaptureFixture[str]) -> None:
    assert [next_fault("spec_kit", "gemini") for _ in range(3)] == [None] * 3
    assert faults_left() == {}
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("opt_in", [None, "0", "", "yes"])
@pytest.mark.parametrize("plan", [PLAN, "utter nonsense"])
def test_a_plan_alone_changes_nothing_but_one_line(
    opt_in: str | None, plan: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up(monkeypatch, SPEC_KIT_FAULTS=plan, **({} if opt_in is None else {"SIM_DEV_FAULTS": opt_in}))
    assert [next_fault("spec_kit", "gemini") for _ in range(3)] == [None] * 3
    assert faults_left() == {}
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "SPEC_KIT_FAULTS changes nothing without SIM_DEV_FAULTS=1" in err


def test_an_opt_in_alone_changes_nothing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    set_up(monkeypatch, SIM_DEV_FAULTS="1")
    assert next_fault("spec_kit", "gemini") is None
    assert capsys.readouterr() == ("", "")


def test_switched_on_twice_it_strikes_and_says_so_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up(monkeypatch, SIM_DEV_FAULTS="1", SPEC_KIT_FAULTS=PLAN)
    found = [next_fault("spec_kit", "gemini") for _ in range(3)]
    assert [type(fault) for fault in found] == [AgentTimeoutError, type(None), type(None)]
    assert capsys.readouterr() == ("", f"sim: faults are on: {PLAN} (by SPEC_KIT_FAULTS, scope spec_kit)\n")


def test_behind_an_open_gate_a_malformed_plan_is_an_error_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    set_up(monkeypatch, SIM_DEV_FAULTS="1", SPEC_KIT_FAULTS="agent_timeout")
    for _ in range(2):
        with pytest.raises(ConfigError, match="fault 'agent_timeout' is malformed"):
            next_fault("spec_kit", "gemini")


def test_code_opens_the_gate_with_its_own_plan_or_the_environments(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ConfigError, match="no plan"):
        open_gate()
    set_up(monkeypatch, SPEC_KIT_FAULTS="disconnect:2", SPEC_KIT_FAULTS_SCOPE="payments")
    with open_gate() as faults:
        assert faults.left() == {"disconnect:2": 2}
        assert next_fault("payments") is not None
        assert next_fault("spec_kit") is None
    assert next_fault("payments") is None, "closed, and the environment is not looked at again"
    assert capsys.readouterr().err == "sim: faults are on: disconnect:2 (by SPEC_KIT_FAULTS, scope payments)\n"


def test_a_closed_gate_stays_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    set_up(monkeypatch, SIM_DEV_FAULTS="1", SPEC_KIT_FAULTS=PLAN)
    close_gate()
    assert next_fault("spec_kit", "gemini") is None
