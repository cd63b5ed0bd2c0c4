"""Tells whether a run goes round: it is back in a state, and could go on like this forever.

A round consists of progress only, leads somewhere, and is fair: what is enabled all along is taken (weak fairness), and
whatever else the world assumes (`sim.world.fairness`). Nothing else is owed about which outcomes a choice has: an agent
may answer with a conflict forever.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from sim.world.choice import Choice, Subject
from sim.world.finding import Finding, owed_for_ever, unmet_for_ever
from sim.world.world import AnyWorld, Goal

ROUND_MAX = 1024
"""The longest round that is noticed while a run goes on."""


class Rounds:
    """Notices that a run comes back to a place, by one comparison a step: it keeps one place, and after ever more steps
    a later one (Brent: "An improved Monte Carlo factorization algorithm", BIT 1980)."""

    def __init__(self, place: Any) -> None:
        self._keep(place, 1)

    def _keep(self, place: Any, until: int) -> None:
        self._kept, self.length, self._until, self._look_at = place, 0, until, 1

    def took(self, choice: Choice, place: Any) -> bool:
        """Whether the last `length` steps may be a round, after this one. A round is of progress only: what is not begins
        the search anew."""
        if not choice.progress:
            self._keep(place, 1)
            return False
        self.length += 1
        if place == self._kept and self.length >= self._look_at:
            return True
        self._move_on(place)
        return False

    def go_on(self, place: Any) -> None:
        """The run goes on, whether it was one or not: the next that is looked at is twice as long."""
        self._look_at = 2 * self.length
        self._move_on(place)

    def _move_on(self, place: Any) -> None:
        if self.length >= self._until:
            self._keep(place, min(2 * self._until, ROUND_MAX))


def last_round(world: AnyWorld, places: list[Any], choices: list[Choice]) -> int:
    """The length of the shortest round at the end of a run, 0 if there is none. `places` are the one before the first of
    `choices` and those after each."""
    last = places[-1]
    for begin in range(len(choices) - 1, -1, -1):
        if not choices[begin].progress:
            break
        if places[begin] == last and is_round(world, places[begin:-1], choices[begin:]):
            return len(choices) - begin
    return 0


def is_round(world: AnyWorld, places: list[Any], choices: list[Choice]) -> bool:
    """Whether `choices`, all of them progress and each taken at one of `places`, are a round that is fair."""
    if all(place == places[0] for place in places):
        return False
    taken = {choice.takes for choice in choices}
    waiting = moving(world, places[0]) - taken
    for place in places[1:]:
        if not waiting:
            break
        waiting &= moving(world, place)
    return not waiting and (world.fairness.is_weak or _is_strongly_fair(world, places, choices, taken))


def moving(world: AnyWorld, at: Any) -> set[Subject]:
    """What may progress here and lead elsewhere, whatever it chooses."""
    return {choice.takes for choice in _moves(world, at)}


def _moves(world: AnyWorld, at: Any) -> list[Choice]:
    return [choice for choice in world.enabled(at) if choice.progress and world.changes(at, choice)]


def _is_strongly_fair(world: AnyWorld, places: list[Any], choices: list[Choice], taken: set[Subject]) -> bool:
    """Whether it does what the world assumes beyond weak fairness."""
    outcomes = set(choices)
    for place, choice in zip(places, choices, strict=True):
        for other in _moves(world, place):
            if world.fairness.owes(other) and other.takes not in taken:
                return False
            if world.fairness.choices and other.takes == choice.takes and other not in outcomes:
                return False
    return True


def wrong_with_round(world: AnyWorld, places: list[Any], unmet: Container[str]) -> Finding | None:
    """What is wrong with going round these places forever; `unmet` are the goals that are not met where it closes."""
    for goal in world.goals:
        if _is_violated(world, goal, places, unmet):
            return unmet_for_ever(goal.kind, goal.name, len(places))
    return owed_all_along(world, places)


def _is_violated(world: AnyWorld, goal: Goal, places: list[Any], unmet: Container[str]) -> bool:
    if goal.kind in ("sometimes", "rests"):
        return goal.kind == "rests"
    held = (world.holds(goal.name, place) for place in places)
    return not all(held) if goal.kind == "eventually_always" else goal.name in unmet and not any(held)


def owed_all_along(world: AnyWorld, places: list[Any]) -> Finding | None:
    """What somebody owes at all of these places."""
    owed = [world.owed(place) for place in places]
    for debt, look in owed[0].items():
        if all(debt in others for others in owed):
            return owed_for_ever(debt, len(places), other_work=any(others[debt] != look for others in owed))
    return None
