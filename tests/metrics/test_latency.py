"""Percentiles within their stated error, in bounded memory, and mergeable exactly."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.metrics import MetricsError, SessionMetrics, TokenUsage
from sim.metrics.latency import (
    LATENCY_US_MAX,
    RELATIVE_ERROR,
    LatencyHistogram,
    bucket_edges_us,
    bucket_of,
    microseconds,
)

LATENCIES_US = st.integers(0, LATENCY_US_MAX)


def histogram_of(values_us: list[int]) -> LatencyHistogram:
    histogram = LatencyHistogram()
    for us in values_us:
        histogram.add_us(us)
    return histogram


@pytest.mark.parametrize("us", [0, 1, 127, 128, 129, 255, 256, 2**30, LATENCY_US_MAX])
def test_each_value_lies_within_the_edges_of_its_bucket(us: int):
    low, high = bucket_edges_us(bucket_of(us))
    assert low <= us <= high
    assert (bucket_of(low), bucket_of(high)) == (bucket_of(us), bucket_of(us))


@given(LATENCIES_US)
def test_buckets_are_contiguous_and_narrow(us: int):
    low, high = bucket_edges_us(bucket_of(us))
    assert bucket_of(high + 1) == bucket_of(us) + 1
    # |midpoint - value| is at most half the width, and the width at most low / 64.
    assert (high - low) / 2 <= low * RELATIVE_ERROR


@given(st.lists(LATENCIES_US, min_size=1, max_size=60), st.integers(1, 100))
def test_a_percentile_is_within_the_relative_error_of_the_nearest_rank(values: list[int], percent: int):
    exact = sorted(values)[math.ceil(len(values) * percent / 100) - 1]
    found = histogram_of(values).summary().percentile_ms(percent)
    assert found is not None
    assert abs(found * 1000 - exact) <= exact * RELATIVE_ERROR * (1 + 1e-9)


def test_the_extremes_are_exact():
    summary = histogram_of([1_000_003, 5, 77_777_777]).summary()
    assert summary.percentile_ms(100) == 77_777.777
    assert summary.percentile_ms(1) == 0.005
    assert summary.as_dict()["mean_ms"] == pytest.approx((1_000_003 + 5 + 77_777_777) / 3000)


def test_a_rank_is_not_moved_by_floating_point():
    """1000 * 99.9 / 100 is 999.0000000000001 as a float, which would be rank 1000."""
    values = [1000] * 999 + [9_000_000]
    assert histogram_of(values).summary().percentile_ms(99.9) == pytest.approx(1.0, rel=RELATIVE_ERROR)


@given(st.lists(LATENCIES_US, max_size=30), st.lists(LATENCIES_US, max_size=30))
def test_absorbing_is_the_same_as_having_counted_both(a: list[int], b: list[int]):
    merged = histogram_of(a)
    merged.absorb(histogram_of(b))
    assert merged.summary() == histogram_of(b + a).summary()


def test_absorbing_copies():
    source, target = histogram_of([5]), LatencyHistogram()
    target.absorb(source)
    target.add_us(5)
    assert source.summary().count == 1


@pytest.mark.parametrize(
    ("latency_ms", "us"), [(0, 0), (1, 1000), (0.0004, 0), (0.0006, 1), (12.5, 12_500), (1e9, 10**12)]
)
def test_milliseconds_become_the_nearest_microseconds(latency_ms: float, us: int):
    assert microseconds(latency_ms) == us


@pytest.mark.parametrize("latency_ms", [-1, -0.001, math.nan, math.inf, True, "5", 1e13, 2**53])
def test_latencies_that_are_none_are_refused(latency_ms: Any):
    with pytest.raises(MetricsError, match="latency_ms is"):
        microseconds(latency_ms)


@pytest.mark.parametrize("percent", [0, -1, 100.1])
def test_percentiles_that_are_none_are_refused(percent: float):
    with pytest.raises(MetricsError, match="expected over 0 and up to 100"):
        histogram_of([1]).summary().percentile_ms(percent)


def test_a_session_without_latencies_has_no_percentile():
    session = SessionMetrics()
    session.record_turn(TokenUsage(1, 1))
    assert session.latency_percentile_ms(50) is None
    session.record_turn(TokenUsage(1, 1), latency_ms=250)
    assert session.latency_percentile_ms(50) == 250


def test_the_error_bound_is_the_one_that_the_docs_state():
    assert RELATIVE_ERROR == 1 / 128


def test_a_bucket_that_is_too_wide_is_caught():
    """The saboteur of the error bound: edges computed with one bit less."""
    low, high = bucket_edges_us(bucket_of(1_000_000))
    assert (high - low) / 2 <= low * RELATIVE_ERROR
    wider = (low, low + 2 * (high - low) + 1)
    assert (wider[1] - wider[0]) / 2 > low * RELATIVE_ERROR
