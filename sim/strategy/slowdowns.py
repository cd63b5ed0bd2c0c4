"""Delays and pauses: the faults of a plan that only a clock knows of.

A delay makes one message take longer, a pause keeps a process from taking any input for a while; each
strikes eagerly, at its first opportunities in the order written. Both change when something happens and
nothing else, so that the run stays a path of the same graph.
"""

from __future__ import annotations

from sim.base.durations import show_duration
from sim.faults.plan import FaultEntry
from sim.graph.budget import places
from sim.graph.graph import Graph
from sim.world.slowdown import Slowdown


class Slowdowns:
    """What a plan slows down in one run, and what it has slowed down so far (`struck`)."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._entries = [entry for entry in graph.system.timed_faults if entry.count != 0]
        self._counts = [entry.count for entry in self._entries]
        self.struck: list[Slowdown] = []

    def delay(self, envelope: int, now_ms: int, step: int) -> int:
        """The milliseconds that an envelope sent now takes longer."""
        thing = self._graph.tables.envelopes.things[envelope]
        entry = self._take("delay", places(thing))
        if entry is None:
            return 0
        what = f"{thing.source} -> {thing.target}  {type(thing.message).__name__}"
        return self._strike(entry, f"{what} takes {{}} longer", now_ms, step)

    def pause(self, process: str, now_ms: int, step: int) -> int:
        """The milliseconds that a process pauses now that something is due there."""
        entry = self._take("pause", (process,))
        return 0 if entry is None else self._strike(entry, f"{process} pauses for {{}}", now_ms, step)

    def _take(self, kind: str, where: tuple[str, ...]) -> FaultEntry | None:
        for index, entry in enumerate(self._entries):
            if entry.kind == kind and entry.target in (None, *where) and self._counts[index] != 0:
                count = self._counts[index]
                self._counts[index] = None if count is None else count - 1
                return entry
        return None

    def _strike(self, entry: FaultEntry, text: str, now_ms: int, step: int) -> int:
        lasts_ms = entry.hint_ms or 0
        self.struck.append(Slowdown(step, now_ms, entry.kind, text.format(show_duration(lasts_ms))))
        return lasts_ms
