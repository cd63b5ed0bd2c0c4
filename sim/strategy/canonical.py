"""The canonical schedule: what counts as usual, for minimised counterexamples and for the continuation of a given
schedule."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heapify
from typing import Any
from weakref import WeakKeyDictionary

from sim.strategy.virtual_time import Due, VirtualTime
from sim.world.choice import Choice, Pending, Start
from sim.world.timing import Range
from sim.world.world import AnyWorld, usual_at


class Canonical(VirtualTime):
    """The canonical schedule: first in, first out; timers only when nothing else is due, shortest first; the first
    outcome of every choice; no fault; the environment does nothing.

    It can also follow a run that deviates (`follow`), and say what would be usual there (`due`).
    """

    name = "canonical"

    def __init__(self) -> None:
        super().__init__(0)

    def begin(self, world: AnyWorld, start: Start[Any] | None = None) -> Start[Any]:
        begun = super().begin(world, start)
        self._by_place = world.usual(begun.place) is not None
        return begun

    def pick(self, at: Any) -> Choice | None:
        if self._by_place:
            return usual_at(self._world, at)
        return super().pick(at)

    def took(self, choice: Choice, at: Any) -> None:
        if not self._by_place:
            super().took(choice, at)

    def due(self, at: Any) -> list[Sequence[Choice]]:
        """What is due and enabled, the next first; each as the outcome paths it has, the usual first."""
        if self._by_place:
            return [[choice] for choice in self._world.usual(at) or ()]
        looked = (self._look(at, event) for event in self._events())
        return [ways for ways in looked if ways]

    def pending(self) -> list[Pending]:
        """What is pending, the next due first; some of it may have become void."""
        return [event.pending for event in self._events()]

    def follow(self, before: Any, choice: Choice, at: Any) -> None:
        """`choice` was taken at `before` and led to `at`, whether it was due next or not."""
        if self._by_place:
            return
        events = self._events()
        event = next((e for e in events if choice.ends and e.pending.subject == choice.takes), None)
        if event is not None:
            first = next((other for other in events if self._look(before, other)), None)
            if event == first:
                self.now_ms = max(self.now_ms, event.due_ms)  # an early timer does not hurry the others
            for queue in (self._heap, *self._waiting.values()):
                if event in queue:
                    queue.remove(event)
            heapify(self._heap)
        self.took(choice, at)

    def _events(self) -> list[Due]:
        return sorted([*self._heap, *(event for queue in self._waiting.values() for event in queue)])

    def _striker(self, world: AnyWorld) -> None:  # noqa: ARG002
        return None

    def _slows(self, world: AnyWorld) -> bool:  # noqa: ARG002
        return False

    def _start(self) -> Start[Any]:
        return self._world.starts()[0]

    def _choose(self, ways: Sequence[Choice]) -> Choice:
        return ways[0]

    def _strike(self, at: Any, event: Due, choice: Choice) -> Choice:  # noqa: ARG002
        return choice

    def _delay(self, pending: Pending) -> Range | None:
        if pending.delay_ms is not None:
            return pending.delay_ms[0], pending.delay_ms[0]
        return (0, 0) if pending.owed else None


LENGTH_MAX = 1_000
_lengths: WeakKeyDictionary[AnyWorld, int] = WeakKeyDictionary()


def usual_length(world: AnyWorld) -> int:
    """Steps of the canonical schedule, 1 to 1000: a measure of a system by which strategies scale."""
    known = _lengths.get(world)
    if known is None:
        usual = Canonical()
        at = usual.begin(world).place
        known = 0
        while known < LENGTH_MAX and (choice := usual.pick(at)) is not None:
            at = world.apply(at, choice)
            usual.took(choice, at)
            known += 1
        known = _lengths[world] = max(1, known)
    return known
