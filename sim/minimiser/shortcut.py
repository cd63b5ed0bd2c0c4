"""Looks breadth first for a shorter way from a state of a failing run to the same violation."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sim.minimiser.deviations import is_plain
from sim.world.choice import Choice, Start
from sim.world.world import AnyWorld

LOOK_MAX = 2_000
"""Distinct states that one look may meet."""


class Shortcut(NamedTuple):
    """What one look found: a whole run that is shorter (None: there is none), and how many states it met."""

    choices: list[Choice] | None
    looked: int


def shortcuts(
    world: AnyWorld, start: Start[Any], choices: Sequence[Choice], prop: str, deviations_max: int
) -> Iterator[Shortcut]:
    """Looks from every state of the run, the last first: there the way to the violation is short. A run
    of more than `deviations_max` faults and moves of the environment would be no gain.

    At the beginning such a look is a bounded exhaustive check, so the counterexample of a small model
    becomes as short as a check's.
    """
    if not world.places_are_values:
        return  # no two ways meet, so that all that is near would have to be looked at
    places = [start.place]
    for choice in choices:
        places.append(world.apply(places[-1], choice))
    look = _Look(world, prop, at_rest=world.judge(places[-1]) is None)
    for step in range(len(choices) - 1, -1, -1):
        left = deviations_max - sum(not is_plain(choice) for choice in choices[:step])
        way, met = look.from_(places[step], len(choices) - step - 1, left)
        yield Shortcut(None if way is None else [*choices[:step], *way], met)


Node = tuple[Any, int]
"""A place, and how many choices that are not plain led there."""


class _Look:
    """Looks for a violation of one property."""

    def __init__(self, world: AnyWorld, prop: str, *, at_rest: bool) -> None:
        self.world = world
        self.prop = prop
        self.at_rest = at_rest
        """Whether it shows when everything has come to rest, and not before."""
        kind = next((goal.kind for goal in world.goals if goal.name == prop), "")
        self.avoids = kind == "eventually"
        """Whether the property must not hold on the way."""
        self.unmet = kind in ("always_eventually", "eventually_always")
        """Whether it must hold at rest."""

    def from_(self, origin: Any, length_max: int, unusual_max: int) -> tuple[list[Choice] | None, int]:
        """A shortest way of at most that many actions from `origin` to a violation, and how many states
        were met; None if there is none, or too much was met before."""
        first: Node = (origin, 0)
        parents: dict[Node, tuple[Node, Choice] | None] = {first: None}
        queue = deque([(first, 0)])
        while queue:
            node, length = queue.popleft()
            if self.at_rest and self._rests_wrongly(node[0]):
                return _way(parents, node), len(parents)
            if length == length_max:
                continue
            for choice in sorted(self.world.enabled(node[0]), key=lambda choice: choice.code):
                unusual = node[1] + (not is_plain(choice))
                if unusual > unusual_max:
                    continue
                after = (self.world.apply(node[0], choice), unusual)
                if after in parents or (self.avoids and self.world.holds(self.prop, after[0])):
                    continue
                parents[after] = (node, choice)
                found = self.world.judge(after[0])
                if found is not None and found.property == self.prop:
                    return _way(parents, after), len(parents)
                if len(parents) >= LOOK_MAX:
                    return None, len(parents)
                if found is None:
                    queue.append((after, length + 1))
        return None, len(parents)

    def _rests_wrongly(self, at: Any) -> bool:
        if not self.world.quiescent(at):
            return False
        found = self.world.rest(at)
        if found is not None:
            return found.property == self.prop
        return self.avoids or (self.unmet and not self.world.holds(self.prop, at))


def _way(parents: dict[Node, tuple[Node, Choice] | None], node: Node) -> list[Choice]:
    way: list[Choice] = []
    link = parents[node]
    while link is not None:
        node, choice = link
        way.append(choice)
        link = parents[node]
    return way[::-1]
