"""What recording a turn costs against the additions it cannot do without, and what memory it keeps.

Each benchmark handles the same thousand turns, so the columns of one group are one ratio. Memory is
attached as `extra_info`: it is counted, not timed.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from sim.metrics.cost import CostMeter
from sim.metrics.overhead import (
    USAGES,
    bare_additions,
    compare,
    record_labelled,
    record_plain,
    record_timed,
    retained_bytes,
    round_labels,
    session_of,
)
from sim.metrics.prices import PriceTable

OWN_PRICES = PriceTable({"m": {"input": 1, "output": 2, "cached_input": "0.1"}}, snapshot=False)


def meter_cost() -> CostMeter:
    meter = CostMeter(OWN_PRICES)
    for usage in USAGES:
        meter.record(usage, model="m", agent="gemini", stage="plan")
    return meter


@pytest.mark.benchmark(group="record_turn, a thousand turns")
@pytest.mark.parametrize("subject", [bare_additions, record_plain, record_labelled, record_timed, meter_cost])
def test_record_turn_against_the_bare_additions(benchmark: BenchmarkFixture, subject: Callable[[], object]) -> None:
    ratio = compare(subject, bare_additions, clock_ns=time.perf_counter_ns, rounds=200).ratio
    benchmark.extra_info["ratio_to_bare_additions"] = round(ratio, 3)
    benchmark.extra_info["turns"] = len(USAGES)
    benchmark(subject)


@pytest.mark.benchmark(group="memory of many turns against few")
@pytest.mark.parametrize(
    ("few", "many", "runs"),
    [
        pytest.param(1_000, 10_000_000, 1, id="the same labels"),
        pytest.param(20_000, 1_000_000, None, id="always a new run"),
    ],
)
def test_memory_of_many_turns_against_few(benchmark: BenchmarkFixture, few: int, many: int, runs: int | None) -> None:
    bytes_few = retained_bytes(session_of(few, round_labels(runs)))
    session = benchmark.pedantic(session_of, args=(many, round_labels(runs)), rounds=1)
    bytes_many = retained_bytes(session)
    benchmark.extra_info["bytes_few"] = bytes_few
    benchmark.extra_info["bytes_many"] = bytes_many
    benchmark.extra_info["ratio_memory"] = round(bytes_many / bytes_few, 3)
    assert session.turn_count == many


@pytest.mark.benchmark(group="snapshot of a full breakdown")
def test_snapshot(benchmark: BenchmarkFixture) -> None:
    session = session_of(24 * 100, round_labels(100))
    snapshot = benchmark(session.snapshot)
    assert len(snapshot.billed) > 1000
