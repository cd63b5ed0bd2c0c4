"""What a worker need not report again.

A long campaign visits the same states again and again, and what each chunk visited would be pickled, stored and merged
each time. A state that the recorded chunks have visited more than once is not news: its fingerprint is known and its
count cannot change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.fuzzer.coverage import CoverageData, union

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]


class News:
    """What one worker knows to be recorded by one run of a campaign, named `run`.

    Sound because a chunk that this worker has run for this run, and below which all is done, is recorded: by this
    worker or, with the same content, by another one that omitted no more than this rule allows.
    """

    def __init__(self, run: str) -> None:
        from sim.fuzzer.arrays import np

        self.run = run
        self._low = 0
        """Every chunk below it is recorded."""
        self._waiting: dict[int, tuple[Array, Array]] = {}
        """Chunks that may not be recorded yet, by their first number: fingerprints, whether once. One that was run
        twice counts once."""
        self._recorded = np.zeros(0, np.uint64), np.zeros(0, np.uint8)
        self._old = np.zeros(0, np.uint64)
        """The fingerprints, ascending, of what is not news."""

    def of(self, first: int, low: int, coverage: CoverageData) -> CoverageData:
        """The coverage of the chunk that begins with `first` without what is not news; every chunk below `low` is
        recorded."""
        from sim.fuzzer.arrays import np

        self._low = max(self._low, low)
        self._learn()
        prints, once = np.frombuffer(coverage.prints, np.uint64), np.frombuffer(coverage.once, np.uint8)
        if first >= self._low:  # otherwise a scheduler that missed its end runs it again, and it has been counted
            self._waiting[first] = prints, once
        if not self._old.size:
            return coverage
        places = np.minimum(np.searchsorted(self._old, prints), self._old.size - 1)
        fresh = self._old[places] != prints
        return coverage._replace(prints=prints[fresh].tobytes(), once=once[fresh].tobytes())

    def _learn(self) -> None:
        """Merges what was recorded, once that is worth it."""
        recorded = [first for first in self._waiting if first < self._low]
        if 2 * sum(len(self._waiting[first][0]) for first in recorded) < len(self._recorded[0]):
            return
        prints, once = self._recorded = union([self._recorded, *map(self._waiting.pop, recorded)])
        self._old = prints[once == 0]
