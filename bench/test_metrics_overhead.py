"""What recording a turn costs against the additions it cannot do without, and what memory it keeps.

Each benchmark handles the same thousand turns, so the columns of one group are one ratio. Memory is
attached as `extra_info`: it is counted, not timed.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

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


@pytest.mark.benchmark(group="record_turn, a thousand turns")
@pytest.mark.parametrize("subject", [bare_additions, record_plain, record_labelled, record_timed])
def test_record_turn_against_the_bare_additions(
    benchmark: BenchmarkFixture, subject: Callable[[], object]
) -> None:
    ratio = compare(subject, bare_additions, clock_ns=time.perf_counter_ns, rounds=200).ratio
    benchmark.extra_info["ratio_to_bare_additions"] = round(ratio, 3)
    benchmark.extra_info["turns"] = len(USAGES)
    benchmark(subject)


@pytest.mark.benchmark(group="memory of ten million turns against a thousand")
def test_memory_of_many_turns_against_few(benchmark: BenchmarkFixture) -> None:
    few = retained_bytes(session_of(1_000, round_labels()))
    many = benchmark.pedantic(session_of, args=(10_000_000, round_labels()), rounds=1)
    benchmark.extra_info["bytes_few"] = few
    benchmark.extra_info["bytes_many"] = retained_bytes(many)
    benchmark.extra_info["ratio_memory"] = round(retained_bytes(many) / few, 3)
    assert many.turn_count == 10_000_000


@pytest.mark.benchmark(group="snapshot of a full breakdown")
def test_snapshot(benchmark: BenchmarkFixture) -> None:
    session = session_of(24 * 100, round_labels(100))
    assert len(benchmark(session.snapshot).billed) > 1000
