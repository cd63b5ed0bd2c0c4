"""What is usual, but for a few departures from it: how schedules of worlds are replayed whose places say what is usual.

A departure is made at the first place where it can be and is not what is usual anyway. An address with a number, `#2`, is
the second of what it could mean, place by place.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from sim.base.errors import DivergenceError
from sim.world.address import Address
from sim.world.choice import Choice, Subject
from sim.world.world import AnyWorld, usual_at

NEAREST = 3
NEAR = 0.3
"""How alike two addresses are, from 0 to 1, of which one is told in place of the other."""


class Departing:
    """Picks what is usual, but for the items of `schedule`, in their order; after the last it ends, or goes on as usual.

    Raises `DivergenceError` where nothing more happens and an item was never possible.
    """

    def __init__(self, world: AnyWorld, schedule: Sequence[Address], *, then_usual: bool) -> None:
        self._world, self._schedule, self._then_usual = world, schedule, then_usual
        self._next = 0
        self._met = 0
        """How often the next item could have been made so far."""
        self._could: dict[str, None] = {}
        """What else could have been made since the last departure."""

    def pick(self, at: Any) -> Choice | None:
        usual = usual_at(self._world, at)
        if self._next >= len(self._schedule):
            return usual if self._then_usual else None
        item = self._schedule[self._next]
        others = [choice for choice in self._world.enabled(at) if choice != usual]
        self._could |= dict.fromkeys(str(replace(choice.address, after="")) for choice in others)
        found = opportunities(item, others)
        wanted = (item.ordinal or 1) - self._met
        if len(found) >= wanted:
            self._next, self._met = self._next + 1, 0
            self._could.clear()
            return found[wanted - 1]
        self._met += len(found)
        if usual is None:
            raise DivergenceError(self._divergence(at, item), self._next)
        return usual

    def _divergence(self, at: Any, item: Address) -> str:
        where = f"step {self._next + 1}: {item} fits nowhere before nothing more happens"
        if self._met:
            return f"{where}: it could be made {self._met} times, not {item.ordinal}"
        texts = sorted(self._could)
        close = difflib.get_close_matches(str(item), texts, n=NEAREST, cutoff=NEAR) or texts[:NEAREST]
        instead = (
            f"; possible on the way: {'; '.join(close)}" if close else "; nothing but the usual was possible on the way"
        )
        return f"{where}: {self._world.why_not(at, item)}{instead}"


def opportunities(item: Address, others: Iterable[Choice]) -> list[Choice]:
    """The choices of a place that an item of a schedule may mean, its number aside: in the order of what they happen to, and
    for each of those the one that is paid for first."""
    pattern = replace(item, ordinal=None)
    found: dict[Subject, Choice] = {}
    for choice in sorted(others, key=lambda choice: (choice.takes, choice.pays)):
        if pattern.fits(choice.address):
            found.setdefault(choice.takes, choice)
    return list(found.values())
