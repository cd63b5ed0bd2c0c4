"""How sure a median is: the interval in which it lies if the same few samples had been drawn otherwise.

The bootstrap of B. Efron, "Bootstrap methods: another look at the jackknife" (1979): percentiles of the medians of
samples drawn from the samples, with replacement. The draws are those of `sim.base.mixer`: the same samples give the
same interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sim.base.mixer import GAMMA

DRAWS = 2_000
SHARE = 0.95
"""How much of what was drawn lies within the interval."""


class Interval(NamedTuple):
    """A median, and the interval around it."""

    median: float
    low: float
    high: float

    @property
    def reach(self) -> float:
        """How far the interval goes from the median, on the side where it goes further."""
        return max(self.median - self.low, self.high - self.median)


def median_interval(samples: Sequence[float]) -> Interval:
    """The median of the samples and its interval, which is a point if there is only one."""
    import numpy as np

    given = np.asarray(samples, dtype=np.float64)
    with np.errstate(over="ignore"):  # numbers of 64 bits, as in the mixer
        drawn = (np.arange(DRAWS * len(given), dtype=np.uint64) + np.uint64(1)) * np.uint64(GAMMA)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            drawn = (drawn ^ (drawn >> np.uint64(shift))) * np.uint64(factor)
        drawn ^= drawn >> np.uint64(31)
    places = (drawn % np.uint64(len(given))).astype(np.int64).reshape(DRAWS, len(given))
    medians = np.median(given[places], axis=1)
    low, high = np.quantile(medians, [(1 - SHARE) / 2, (1 + SHARE) / 2])
    return Interval(float(np.median(given)), float(low), float(high))
