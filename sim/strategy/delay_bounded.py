"""Delay-bounded scheduling: Emmi, Qadeer, Rakamaric, "Delay-bounded scheduling" (POPL 2011).

A scheduler that is deterministic, here the usual order, may be delayed a few times: what would come next is passed over,
and comes later. Few bugs need many delays, however long the run is.

Departures from the paper:

- It explores all schedules of so many delays; here their moments are drawn, as PCT draws its own. How many of at most
  `delays` a schedule has is drawn too, so that a bug that needs fewer is not hidden by the rest.
- A task that is delayed waits there for the next round. Here what is delayed waits for some of what else is due, from the
  next one alone to all of it: how many is drawn. So one delay moves a message after the next one, or after a timer.
- What the environment may do does not belong to the usual order. It comes where it is drawn in place of what is due.
- Faults strike at moments drawn apart (`sim.strategy.strikes`). An event that can go several ways goes any of them with
  equal probability.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sim.base.mixer import between, derive, stream
from sim.strategy.base import base_of, choose_start, least
from sim.strategy.canonical import Canonical, usual_length
from sim.strategy.strikes import Strikes
from sim.world.choice import Choice, Start, Subject
from sim.world.world import AnyWorld

DELAYS = 3


class DelayBounded:
    """The usual order, in which at most `delays` times, at random moments among the first `length` steps (by default those of
    the canonical schedule), what is next has to wait."""

    name = "delay_bounded"
    now_ms = None

    def __init__(self, seed: int = 0, delays: int = DELAYS, length: int | None = None) -> None:
        self.seed = seed
        self.delays = delays
        self._given = length
        self._draws = derive(seed, self.name)

    def begin(self, world: AnyWorld) -> Start[Any]:
        self._world = world
        self.length = usual_length(world) if self._given is None else self._given
        number = between(stream(self._draws, 0), 0, self.delays)
        moments = [between(stream(self._draws, i), 0, self.length - 1) for i in range(1, number + 1)]
        self._left = sorted(moments, reverse=True)
        """The moments of the delays that are to come, the next last."""
        self._held: dict[Subject, list[Subject]] = {}
        """What was delayed, and what comes before it."""
        self._strikes = Strikes(world, self.seed, self.length)
        self._step = 0
        self._usual = Canonical()
        return self._usual.begin(world, choose_start(world, self.seed))

    def pick(self, at: Any) -> Choice | None:
        self._before = at
        self._step += 1
        step = self._step - 1
        if self._strikes.is_due(step):
            fault = self._strikes.strike(step, self._world.enabled(at))
            if fault is not None:
                return fault
        due = self._in_order(at)
        while due and self._left and self._left[-1] <= step:
            others = [choice for choice in self._world.unstruck(at) if not choice.progress]
            fewest = 0 if others else 1
            if len(due) <= fewest:
                break  # there is nothing that could come instead; perhaps in the next step
            passed = between(stream(self._draws, self.delays + len(self._left)), fewest, len(due) - 1)
            self._left.pop()
            if not passed:
                return least(others, base_of(self._draws, step))
            self._held[due[0][0].takes] = [ways[0].takes for ways in due[1 : passed + 1]]
            due = self._in_order(at)
        return least(due[0], base_of(self._draws, step)) if due else None

    def took(self, choice: Choice, at: Any) -> None:
        self._held.pop(choice.takes, None)
        for waits_for in self._held.values():
            if choice.takes in waits_for:
                waits_for.remove(choice.takes)
        self._usual.follow(self._before, choice, at)

    def _in_order(self, at: Any) -> list[Sequence[Choice]]:
        """What is due, and does not wait for something else that is; nothing waits for what is no longer due."""
        due = self._usual.due(at)
        if not self._held:
            return due
        there = {ways[0].takes for ways in due}
        for subject, waits_for in list(self._held.items()):
            if subject not in there or not there.intersection(waits_for):
                del self._held[subject]
        return [ways for ways in due if ways[0].takes not in self._held] or due
