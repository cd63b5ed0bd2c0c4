"""Latencies in bounded memory: a log-linear histogram on whole microseconds.

Each power of two is cut into 64 equal buckets, so a bucket is never wider than 1/64 of its lower
edge and its midpoint is within `RELATIVE_ERROR` of every value in it. The index is computed with
shifts, not logarithms: two machines put one value into one bucket, and adding bucket counts is an
exact merge. (The layout is HdrHistogram's, by Gil Tene.)
"""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass
from itertools import accumulate
from operator import add

from sim.metrics.checked import MetricsError

_SUB_BITS = 6
_EXACT_BELOW_US = 2 << _SUB_BITS
RELATIVE_ERROR = 1 / _EXACT_BELOW_US
"""A percentile is off by at most this fraction of the true one: 1/128, or 0.79 %."""
LATENCY_US_MAX = 2**53
"""Longest latency accepted, in microseconds (285 years): up to here a float counts every microsecond."""


def microseconds(latency_ms: int | float) -> int:
    """Whole microseconds nearest to `latency_ms`; `MetricsError` unless it is 0 to 285 years."""
    if type(latency_ms) is int:
        us = latency_ms * 1000
    elif type(latency_ms) is float and math.isfinite(latency_ms):
        us = round(latency_ms * 1000)
    else:
        raise MetricsError(f"latency_ms is {latency_ms!r}; expected a finite number of milliseconds")
    if not 0 <= us <= LATENCY_US_MAX:
        raise MetricsError(f"latency_ms is {latency_ms!r}; expected 0 to {LATENCY_US_MAX // 1000}")
    return us


def bucket_of(us: int) -> int:
    """Index of the bucket that holds `us`; indexes grow with the values."""
    if us < _EXACT_BELOW_US:
        return us
    shift = us.bit_length() - _SUB_BITS - 1
    return (shift << _SUB_BITS) + (us >> shift)


def bucket_edges_us(index: int) -> tuple[int, int]:
    """Smallest and largest whole microsecond of a bucket; `bucket_of` maps both back to `index`."""
    if index < _EXACT_BELOW_US:
        return index, index
    shift = (index >> _SUB_BITS) - 1
    low = (index - (shift << _SUB_BITS)) << shift
    return low, low + (1 << shift) - 1


_BUCKETS = bucket_of(LATENCY_US_MAX) + 1


@dataclass(frozen=True, slots=True)
class LatencySummary:
    """An immutable copy of a histogram; `buckets` are (index, count) pairs in order of latency."""

    count: int
    sum_us: int
    min_us: int
    max_us: int
    buckets: tuple[tuple[int, int], ...]

    def percentile_ms(self, percent: int | float) -> float | None:
        """The nearest-rank percentile in milliseconds, within `RELATIVE_ERROR`; None if nothing was recorded.

        `percent` is over 0 and up to 100 (`MetricsError` otherwise). The first and the last
        observation are exact, because they are kept.
        """
        if not 0 < percent <= 100:
            raise MetricsError(f"percentile {percent!r}; expected over 0 and up to 100")
        if not self.count:
            return None
        if type(percent) is int:
            rank = -(-self.count * percent // 100)
        else:
            from fractions import Fraction  # imported here, because it would double a coordinator's start-up time

            # A fraction, because 1000 * 99.9 / 100 is slightly over 999 in floats, which is another rank.
            rank = math.ceil(self.count * Fraction(str(percent)) / 100)
        upto = accumulate(count for _, count in self.buckets)
        index = next(index for (index, _), seen in zip(self.buckets, upto, strict=True) if seen >= rank)
        low, high = bucket_edges_us(index)
        # Clamped, because the ends are known: p100 is the maximum, not the middle of its bucket.
        return min(max((low + high) / 2, self.min_us), self.max_us) / 1000

    def as_dict(self) -> dict[str, object]:
        """Count, bounds, mean and the usual percentiles; milliseconds, None where nothing was recorded."""
        known = self.count > 0
        return {
            "count": self.count,
            "min_ms": self.min_us / 1000 if known else None,
            "mean_ms": self.sum_us / self.count / 1000 if known else None,
            "max_ms": self.max_us / 1000 if known else None,
            "p50_ms": self.percentile_ms(50),
            "p90_ms": self.percentile_ms(90),
            "p99_ms": self.percentile_ms(99),
            "relative_error": RELATIVE_ERROR,
        }


class LatencyHistogram:
    """Counts latencies in machine integers: 24 KB from the first latency on, and never more.

    (A dict of Python integers would start smaller and grow with the counts.)
    """

    __slots__ = ("_counts", "_max_us", "_min_us", "_sum_us")

    def __init__(self) -> None:
        self._counts: array[int] = array("Q")
        self._sum_us = 0
        self._min_us = LATENCY_US_MAX
        self._max_us = 0

    @classmethod
    def of(cls, summary: LatencySummary) -> LatencyHistogram:
        """The histogram that has this summary. Raises `MetricsError` if none has."""
        histogram = cls()
        if summary.count:
            histogram._counts = array("Q", bytes(8 * _BUCKETS))
            for index, count in summary.buckets:
                if not 0 <= index < _BUCKETS or not 0 < count < 2**64:
                    raise MetricsError(
                        f"latency.buckets has {count} in bucket {index}; expected 1 or more in 0 to {_BUCKETS - 1}"
                    )
                histogram._counts[index] += count
            histogram._sum_us, histogram._min_us, histogram._max_us = summary.sum_us, summary.min_us, summary.max_us
        if histogram.summary() != summary:
            raise MetricsError("latency contradicts itself: its counts and bounds are not those of its buckets")
        return histogram

    def add_us(self, us: int) -> None:
        """Count one latency, as `microseconds` returned it: this is the hot path and checks nothing."""
        if not self._counts:
            self._counts = array("Q", bytes(8 * _BUCKETS))
        self._counts[bucket_of(us)] += 1
        self._sum_us += us
        if us < self._min_us:
            self._min_us = us
        if us > self._max_us:
            self._max_us = us

    def absorb(self, other: LatencyHistogram) -> None:
        """Add everything that `other` counted."""
        if self._counts and other._counts:
            self._counts = array("Q", map(add, self._counts, other._counts))
        elif other._counts:
            self._counts = other._counts[:]
        self._sum_us += other._sum_us
        self._min_us = min(self._min_us, other._min_us)
        self._max_us = max(self._max_us, other._max_us)

    def summary(self) -> LatencySummary:
        """An immutable copy."""
        first, last = bucket_of(self._min_us), bucket_of(self._max_us)  # no other bucket can hold anything
        counts = enumerate(self._counts[first : last + 1], first)
        buckets = tuple((index, count) for index, count in counts if count)
        count = sum(count for _, count in buckets)
        return LatencySummary(count, self._sum_us, self._min_us if count else 0, self._max_us, buckets)
