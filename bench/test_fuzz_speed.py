"""Steps per second of the fuzz, by strategy: the compiled walk against the plain one, in one run.

The model is `models.consensus` with its faults and all properties on. Both walks are warm: the graph's rows are known.
"""

from __future__ import annotations

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from sim.fuzzer.fuzz import Fuzzer, FuzzResult
from sim.scenario import load_target
from sim.strategy import STRATEGIES

WARM, PLAIN, COMPILED = 200_000, 1_000, 400_000
"""Schedules: before measuring, of the plain walk, of the compiled one."""


def fuzzer(strategy: str, engine: str) -> Fuzzer:
    return Fuzzer(load_target("models.consensus", {}).system, strategy=strategy, engine=engine)  # type: ignore[arg-type]


def measured(one: Fuzzer, warm: int, schedules: int) -> FuzzResult:
    """The schedules after the first `warm` of them."""
    one.run(schedules=warm)
    return one.run(first=warm, schedules=schedules)


@pytest.mark.benchmark(group="fuzz")
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_compiled_fuzz_against_the_plain_one(benchmark: BenchmarkFixture, strategy: str) -> None:
    plain = measured(fuzzer(strategy, "plain"), PLAIN, PLAIN)
    compiled = measured(fuzzer(strategy, "compiled"), WARM, COMPILED)
    rates = [round(result.steps / result.seconds) for result in (plain, compiled)]
    benchmark.extra_info["steps_per_second_plain"], benchmark.extra_info["steps_per_second_compiled"] = rates
    benchmark.extra_info["ratio"] = round(rates[1] / rates[0], 1)
    benchmark.extra_info["distinct_states"] = compiled.states
    benchmark.pedantic(fuzzer(strategy, "compiled").run, kwargs={"schedules": 10_000}, rounds=1)


if __name__ == "__main__":
    for name in STRATEGIES:
        slow = measured(fuzzer(name, "plain"), PLAIN, PLAIN)
        fast = measured(fuzzer(name, "compiled"), WARM, COMPILED)
        slow_rate, fast_rate = slow.steps / slow.seconds, fast.steps / fast.seconds
        print(
            f"| `{name}` | {slow_rate / 1e3:.0f} thousand | {fast_rate / 1e6:.1f} million | {fast_rate / slow_rate:.0f} | "
            f"{fast.steps / fast.schedules:.0f} | {fast.states:,} |"
        )
