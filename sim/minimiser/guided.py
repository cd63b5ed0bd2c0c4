"""Runs that follow a guide as far as it fits: how the minimiser tries its edits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sim.minimiser.deviations import is_plain
from sim.strategy.canonical import Canonical
from sim.world.choice import Choice, Start, Subject
from sim.world.world import AnyWorld


class GuideItem:
    """One item of a guided run: a choice, or what it happens to in its plain way."""

    def __init__(self, choice: Choice, *, plain: bool = False) -> None:
        self.choice = choice
        self.plain = plain

    def find(self, world: AnyWorld, at: Any) -> Choice | None:
        """The enabled choice that this item means, or else one that is alike."""
        enabled: Sequence[Choice] = world.enabled(at)
        if self.plain:
            ways = [c for c in enabled if is_plain(c) and c.takes == self.choice.takes]
            return min(ways, key=lambda c: (c.choices != ways[0].choices, c.code)) if ways else None
        key, code = self.choice.key, self.choice.code
        same = next((c for c in enabled if c.key == key and c.code == code), None)
        return same or next((c for c in enabled if is_alike(c, self.choice)), None)


def is_alike(one: Choice, other: Choice) -> bool:
    """Whether two choices are the same but for the contents of a message: what went before may have been
    different, as when another verdict is on its way from and to the same processes."""
    return one.like == other.like


class Guided:
    """Takes the items that fit, in this order, leaves out the others, then goes on as usual; what is
    `held` comes only when nothing else is due."""

    name = "guided"
    seed = 0
    now_ms = None

    def __init__(self, start: Start[Any], items: Sequence[GuideItem], held: frozenset[Subject] = frozenset()) -> None:
        self._begin = start
        self._items = items
        self._held = held

    def begin(self, world: AnyWorld) -> Start[Any]:
        self._world = world
        self._number = 0
        self._usual = Canonical()
        self._usual.begin(world, self._begin)
        self._before = self._begin.place
        return self._begin

    def pick(self, at: Any) -> Choice | None:
        self._before = at
        while self._number < len(self._items):
            self._number += 1
            found = self._items[self._number - 1].find(self._world, at)
            if found is not None:
                return found
        due = [ways[0] for ways in self._usual.due(at)]
        return next((choice for choice in due if choice.takes not in self._held), due[0] if due else None)

    def took(self, choice: Choice, at: Any) -> None:
        self._usual.follow(self._before, choice, at)
