"""The bound of PCTCP for the sizes that were observed, where it is proved."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from sim.graph import Graph
from sim.strategy.pctcp import PCTCP, only_messages
from sim.trace import Ending, Run


class Bound(NamedTuple):
    """The least probability with which one schedule of PCTCP shows a bug of `depth`, for `length` events of
    which at most `width` are independent."""

    probability: Fraction
    depth: int
    length: int
    width: int


class Sizes:
    """The sizes of the schedules that PCTCP has picked so far."""

    def __init__(self) -> None:
        self._depth = 0
        self._length = 0
        self._seen: dict[tuple[int, int], None] = {}
        self._choices = False

    def note(self, strategy: PCTCP, run: Run) -> None:
        """A schedule came to its end; one that was cut short or violated a property has no size."""
        self._depth, self._length = strategy.depth, strategy.length
        self._choices = self._choices or any(action.choices for _, action in run.trace.steps)
        if run.ending is Ending.QUIESCENT:
            self._seen[len(strategy.events.made), strategy.events.width] = None

    def bound(self, graph: Graph) -> Bound | None:
        """The bound; None if the system is more than messages, or if its events are not the same in every
        schedule: the proof is about one set of events."""
        if not only_messages(graph) or self._choices or len(self._seen) != 1:
            return None
        events, width = next(iter(self._seen))
        if events > self._length:
            return None  # a change could not have come at every step
        probability = Fraction(1, width**2 * self._length ** (self._depth - 1))
        return Bound(probability, self._depth, self._length, width)
