"""The gate: off unless switched on twice; off, one warning line at most; on, one line that says so."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from sim import ConfigError
from sim.faults import AgentTimeoutError, close_gate, faults_left, faults_struck, gate, next_fault, open_gate

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
    assert "SPEC_KIT_FAULTS has no effect without SIM_DEV_FAULTS=1" in err


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


def in_between(call: Callable[[], object], other: Callable[[], object], at: int) -> tuple[object, bool]:
    """What `call` returns if another thread does `other` before the instruction numbered `at`, and whether it
    came so far."""
    seen = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal seen
        if frame.f_code is not call.__code__:  # type: ignore[attr-defined]
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            seen += 1
            if seen == at:
                other()
        return trace

    before = sys.gettrace()
    sys._getframe().f_trace_opcodes = True  # Python 3.12 sees instructions only where one frame asked for them by now
    sys.settrace(trace)
    try:
        return (call("spec_kit", "gemini") if call is next_fault else call()), seen >= at  # type: ignore[call-arg]
    finally:
        sys.settrace(before)


@pytest.mark.parametrize("call", [next_fault, faults_left, faults_struck])
def test_another_thread_may_close_the_gate_at_any_point(call: Callable[[], object]) -> None:
    at, reached = 1, True
    while reached:
        open_gate(PLAN)
        _, reached = in_between(call, close_gate, at)
        at += 1
    assert at > 5, "no instruction was seen"


def test_another_thread_may_look_first_at_any_point_and_no_fault_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    set_up(monkeypatch, SIM_DEV_FAULTS="1", SPEC_KIT_FAULTS=PLAN)
    at, reached = 1, True
    while reached:
        gate._injector, gate._looked = None, False
        found, reached = in_between(next_fault, gate._look, at)
        assert isinstance(found, AgentTimeoutError), at
        at += 1
    assert at > 5, "no instruction was seen"
