"""Tells whether a run has entered a cycle: it is back in a state, and could loop forever.

A cycle counts if it consists of progress only, and is fair: an action that is enabled on the whole cycle is taken on it
(weak fairness on progress actions). Nothing is owed about which outcomes it chooses: an agent may answer with a
conflict forever.
"""

from __future__ import annotations

from typing import Any

from sim.world.choice import Choice, Subject
from sim.world.world import AnyWorld


def came_round(world: AnyWorld, places: list[Any], choices: list[Choice]) -> int | None:
    """The length of the fair cycle at the end of a run, or None. `places` are the one
    before the first of `choices` and those after each."""
    last = places[-1]
    for begin in range(len(choices) - 1, -1, -1):
        if not choices[begin].progress:
            return None
        if places[begin] == last and is_fair(world, places[begin:-1], choices[begin:]):
            return len(choices) - begin
    return None


def is_fair(world: AnyWorld, places: list[Any], choices: list[Choice]) -> bool:
    """Whether everything that may progress in all of these places is among what was taken."""
    waiting = moving(world, places[0])
    for place in places[1:]:
        waiting &= moving(world, place)
    return not waiting - {choice.takes for choice in choices}


def moving(world: AnyWorld, at: Any) -> set[Subject]:
    """What may progress here and lead elsewhere, whatever it chooses."""
    return {choice.takes for choice in world.enabled(at) if choice.progress and world.changes(at, choice)}
