"""`next_fault`: in the order written, counted exactly, whoever asks at the same time."""

from __future__ import annotations

import asyncio
import pickle
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from sim import ConfigError
from sim.faults import (
    AgentTimeoutError,
    DisconnectError,
    InjectedFault,
    RateLimitedError,
    faults_left,
    faults_struck,
    gate,
    next_fault,
    open_gate,
    parse_plan,
)
from sim.faults.injector import Injector

THREADS, CALLS, COUNT = 8, 400, 1_000


def test_entries_are_drained_in_the_order_written() -> None:
    with open_gate("disconnect:2,rate_limited:1(30s),agent_timeout:1"):
        found = [next_fault("spec_kit") for _ in range(6)]
    assert [fault and fault.kind for fault in found] == [
        *("disconnect", "disconnect", "rate_limited", "agent_timeout", None, None)
    ]
    assert found[2] is not None
    assert found[2].reset_ms == 30_000


def test_another_order_is_another_order() -> None:
    with open_gate("agent_timeout:1,disconnect:1"):
        assert isinstance(next_fault("spec_kit"), AgentTimeoutError)
        assert isinstance(next_fault("spec_kit"), DisconnectError)


def test_a_target_and_a_scope_are_struck_and_nothing_else() -> None:
    with open_gate("agent_timeout:1@gemini", scope="payments") as faults:
        assert next_fault("payments", "claude") is None
        assert next_fault("payments") is None
        assert next_fault("spec_kit", "gemini") is None
        assert faults.left() == {"agent_timeout:1@gemini": 1}
        assert isinstance(next_fault("payments", "gemini"), AgentTimeoutError)
        assert next_fault("payments", "gemini") is None
        assert (faults.left(), faults.struck()) == ({"agent_timeout:1@gemini": 0}, {"agent_timeout": 1})


def test_what_remains_can_be_read_and_unlimited_stays_so() -> None:
    with open_gate("rate_limited:2,disconnect:unlimited@claude"):
        for _ in range(5):
            next_fault("spec_kit", "claude")
        assert faults_left() == {"rate_limited:2": 0, "disconnect:unlimited@claude": None}
        assert faults_struck() == {"disconnect": 3, "rate_limited": 2}
    assert faults_left() == faults_struck() == {}


def test_the_errors_are_what_such_errors_are_caught_as() -> None:
    with open_gate("agent_timeout:1,disconnect:1,rate_limited:1"):
        for usual in (TimeoutError, ConnectionError, RateLimitedError):
            fault = next_fault("spec_kit", "gemini")
            assert isinstance(fault, usual)
            with pytest.raises(InjectedFault, match=r"injected .* \(spec_kit, gemini\)"):
                raise fault
            again = pickle.loads(pickle.dumps(fault))
            assert (type(again), str(again), again.target) == (type(fault), str(fault), "gemini")


@pytest.mark.parametrize("plan", ["drop:1", "crash:1@coordinator", "cut:1", "delay:1(5s)", "pause:1(5s)"])
def test_ordinary_code_has_no_network_and_no_clock_to_strike(plan: str) -> None:
    with pytest.raises(ConfigError, match=f"{plan[: plan.index(':')]} cannot strike ordinary code"):
        open_gate(plan)


def hammered(take: Callable[[], object]) -> int:
    """How many faults threads that all begin at once are given."""
    barrier = threading.Barrier(THREADS)
    taken: list[int] = []

    def work() -> None:
        barrier.wait()
        taken.append(sum(take() is not None for _ in range(CALLS)))

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    usual_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # threads come in between wherever they can
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(usual_s)
    return sum(taken)


def test_threads_take_each_fault_once_and_no_more_than_there_are() -> None:
    with open_gate(f"disconnect:{COUNT}") as faults:
        assert hammered(lambda: next_fault("spec_kit", "gemini")) == COUNT < THREADS * CALLS
        assert faults.left() == {f"disconnect:{COUNT}": 0}
        assert faults.struck() == {"disconnect": COUNT}


def test_tasks_take_each_fault_once_and_no_more_than_there_are() -> None:
    async def work(taken: Counter[str], agent: str) -> None:
        for _ in range(50):
            fault = next_fault("spec_kit", agent)
            await asyncio.sleep(0)
            if fault is not None:
                taken[fault.kind] += 1

    async def all_of_them() -> Counter[str]:
        taken: Counter[str] = Counter()
        await asyncio.gather(*(work(taken, f"agent{i}") for i in range(20)))
        return taken

    with open_gate("disconnect:300,agent_timeout:70@agent3") as faults:
        assert asyncio.run(all_of_them()) == {
            "disconnect": 300,
            "agent_timeout": min(70, faults.struck()["agent_timeout"]),
        }
        assert faults.left()["disconnect:300"] == 0
        assert faults.left()["agent_timeout:70@agent3"] == 70 - faults.struck()["agent_timeout"]


class Unlocked:
    """What stands in the place of a lock that somebody took out."""

    def __enter__(self) -> None: ...

    def __exit__(self, *raised: object) -> None: ...


class Slow(list[int | None]):
    """Counts that let another thread come in between their reading and their lowering."""

    def __getitem__(self, index: Any) -> Any:
        found = super().__getitem__(index)
        time.sleep(0)
        return found


@pytest.mark.parametrize("locked", [True, False])
def test_it_is_the_lock_that_keeps_the_count(locked: bool) -> None:
    injector = Injector(parse_plan(f"disconnect:{COUNT}"), "spec_kit")
    injector._left = Slow(injector._left)
    if not locked:
        injector._lock = Unlocked()  # type: ignore[assignment]
    assert (hammered(lambda: injector.next_fault("spec_kit")) == COUNT) is locked


class LoadThenStore(Injector):
    """The reference's mistake: the count is looked at, then lowered, with room for others in between."""

    def take(self) -> object:
        left = self._left[0]
        if not left:
            return None
        time.sleep(0)  # another thread comes in between
        self._left[0] = left - 1
        return "disconnect"


def test_an_injector_that_looks_and_then_subtracts_is_caught() -> None:
    broken = LoadThenStore(parse_plan(f"disconnect:{COUNT}"), "spec_kit")
    assert hammered(broken.take) != COUNT


def test_threads_that_come_to_the_first_injection_point_together_open_one_gate(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SIM_DEV_FAULTS", "1")
    monkeypatch.setenv("SPEC_KIT_FAULTS", "disconnect:50")
    for _ in range(20):
        gate._injector, gate._looked = None, False
        assert hammered(lambda: next_fault("spec_kit")) == 50
    assert capsys.readouterr().err.count("faults are on") == 20
