"""The bound of PCTCP for the sizes that were observed, where it is proved."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

from sim.graph import Graph
from sim.strategy.canonical import usual_length
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

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._seen: dict[tuple[int, int], None] = {}
        self.choices = False
        """Whether one of them chose."""

    @property
    def seen(self) -> tuple[tuple[int, int], ...]:
        """Numbers of events, and of events none of which follows from another: the two least, as more than one tells
        that there is no bound."""
        return tuple(sorted(self._seen)[:2])

    def note(self, strategy: PCTCP, run: Run) -> None:
        """A schedule came to its end; one that was cut short or violated a property has no size."""
        sizes = [(len(strategy.events.made), strategy.events.width)] if run.ending is Ending.QUIESCENT else []
        self.add(sizes, choices=any(action.choices for _, action in run.trace.steps))

    def add(self, sizes: Iterable[tuple[int, int]], *, choices: bool) -> None:
        """Schedules had these sizes; with `choices`, one of them chose."""
        self._seen |= dict.fromkeys(sizes)
        self.choices = self.choices or choices

    def bound(self, depth: int | None = None) -> Bound | None:
        """The bound for bugs of this depth (by default that of PCTCP); None if the system is more than messages, or if its events are not the same in every
        schedule: the proof is about one set of events."""
        if not only_messages(self._graph) or self.choices or len(self._seen) != 1:
            return None
        events, width = next(iter(self._seen))
        length = usual_length(self._graph)
        if events > length:
            return None  # a change could not have come at every step
        depth = PCTCP(depth=depth).depth
        return Bound(Fraction(1, width**2 * length ** (depth - 1)), depth, length, width)
