"""What the judging of cycles costs a check, beside the same check without, in one run: processor time, the best of three.

The ratio is attached as `extra_info`; it is measured, never asserted.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from sim import CheckResult, System, check
from sim.scenario import load_target

MODELS = ("models.consensus", "models.two_phase_commit", "models.paxos", "models.device_login")


@pytest.mark.benchmark(group="check, what cycles cost")
@pytest.mark.parametrize("name", MODELS)
def test_cycles_beside_no_cycles(benchmark: BenchmarkFixture, name: str) -> None:
    system = load_target(name, {}).system
    check(system)  # compiles
    off, on = (_best(lambda cycles=cycles: _seconds(system, cycles), 3) for cycles in (False, True))
    result = benchmark.pedantic(check, args=(system,), rounds=1)
    assert isinstance(result, CheckResult)
    benchmark.extra_info["states"] = result.states
    benchmark.extra_info["cycles"] = result.cycles
    benchmark.extra_info["ratio"] = round(on / off, 2)


def _seconds(system: System, cycles: bool) -> float:
    begun = time.process_time()
    result = check(system, cycles=cycles)
    spent = time.process_time() - begun
    assert result.verdict == "ok"
    return spent


def _best(measure: Callable[[], float], times: int) -> float:
    return min(measure() for _ in range(times))
