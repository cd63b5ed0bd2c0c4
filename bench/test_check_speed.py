"""States per second of the exhaustive check: the compiled walk against the plain one, in one run.

`seconds` of a check is the walk alone, without imports and compilation. The ratio is attached as
`extra_info`; it is measured, never asserted.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.plain_paxos import plain_paxos
from sim import System, check
from sim.scenario import load_target


def two_phase_commit() -> System:
    return load_target("models.two_phase_commit", {"resource_managers": "7"}).system


CASES = {"two-phase commit, 7 resource managers": (two_phase_commit, 296_448), "plain Paxos": (plain_paxos, 173_812)}


@pytest.mark.benchmark(group="check")
@pytest.mark.parametrize("name", CASES)
def test_compiled_check_against_the_plain_one(benchmark: BenchmarkFixture, name: str) -> None:
    make, states = CASES[name]
    plain = _best(lambda: _seconds(make(), "plain", states), 1)
    _seconds(make(), "compiled", states)  # compiles
    compiled = _best(lambda: _seconds(make(), "compiled", states), 3)
    benchmark.extra_info["states"] = states
    benchmark.extra_info["states_per_second_plain"] = round(states / plain)
    benchmark.extra_info["states_per_second_compiled"] = round(states / compiled)
    benchmark.extra_info["ratio"] = round(plain / compiled, 1)
    benchmark.pedantic(check, args=(make(),), kwargs={"engine": "compiled"}, rounds=1)


@pytest.mark.benchmark(group="check, what it costs as the model grows")
@pytest.mark.parametrize("managers", [4, 5, 6, 7, 8])
def test_seconds_and_states_as_two_phase_commit_grows(benchmark: BenchmarkFixture, managers: int) -> None:
    system = load_target("models.two_phase_commit", {"resource_managers": str(managers)}).system
    result = benchmark.pedantic(check, args=(system,), kwargs={"engine": "compiled"}, rounds=1)
    assert result.complete
    benchmark.extra_info["states"] = result.states
    benchmark.extra_info["generated"] = result.generated
    benchmark.extra_info["microseconds_per_state"] = round(1e6 * result.seconds / result.states, 2)


def _seconds(system: System, engine: str, states: int) -> float:
    result = check(system, engine=engine)  # type: ignore[arg-type]
    assert result.states == states
    return result.seconds


def _best(measure: Callable[[], float], times: int) -> float:
    return min(measure() for _ in range(times))
