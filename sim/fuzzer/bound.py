"""The bound of PCTCP for the sizes that were observed, where it is proved."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

from sim.run.trace import Ending, Run
from sim.strategy.canonical import usual_length
from sim.strategy.pctcp import PCTCP
from sim.world.world import AnyWorld


class Bound(NamedTuple):
    """The least probability with which one schedule of PCTCP shows a bug of `depth`, for `length` events of
    which at most `width` are independent."""

    probability: Fraction
    depth: int
    length: int
    width: int


class Sizes:
    """The sizes of the schedules that PCTCP has picked so far, where they tell something: in a system of messages alone."""

    def __init__(self, world: AnyWorld) -> None:
        self._world = world
        self._tell = world.only_messages()
        self.seen: tuple[tuple[int, int], ...] = ()
        """Events, and events none of which follows from another, of every schedule; nothing if that is not one size."""
        self.uneven = False
        """Whether the events are not the same in every schedule: sizes differ, or a schedule chose."""

    def note(self, strategy: PCTCP, run: Run) -> None:
        """A schedule came to its end; one that was cut short or violated a property has no size."""
        if not self._tell:
            return
        sizes = [(len(strategy.events.parents), strategy.events.width)] if run.ending is Ending.QUIESCENT else []
        self.add(sizes, uneven=any(action.choices for _, action in run.trace.steps))

    def add(self, sizes: Iterable[tuple[int, int]], *, uneven: bool) -> None:
        """Schedules had these sizes; they were `uneven` among themselves."""
        if not self._tell:
            return
        both = dict.fromkeys([*self.seen, *sizes])
        self.uneven = self.uneven or uneven or len(both) > 1
        self.seen = () if self.uneven else tuple(both)

    def bound(self, depth: int | None = None) -> Bound | None:
        """The bound for bugs of this depth (by default that of PCTCP); None if the system is more than messages,
        or if its events are not the same in every schedule: the proof is about one set of events."""
        if not self.seen:
            return None
        ((events, width),) = self.seen
        length = usual_length(self._world)
        if events > length:
            return None  # a change could not have come at every step
        depth = PCTCP(depth=depth).depth
        return Bound(Fraction(1, width**2 * length ** (depth - 1)), depth, length, width)
