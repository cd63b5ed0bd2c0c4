"""In what a run deviates from the canonical schedule (`sim.strategy.Canonical`).

What has not happened when the run ends is still to come: a message may be on its way for as long as other messages come, and
nothing is unusual about that. So an order is broken only between two things that both happen. A timer is another matter: it fires
before something that is due and never comes in this run, so it is early. Where a fault strikes is free.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any, NamedTuple

from sim.strategy.canonical import Canonical
from sim.world.choice import FIRE, MESSAGE, Choice, Start
from sim.world.world import AnyWorld, usual_at


class Unusual(Enum):
    """Ways to deviate; the values say what the canonical schedule does instead."""

    START = "every choice at the start is its first"
    FAULT = "no fault strikes"
    ENVIRONMENT = "the environment does nothing"
    CHOICE = "every choice is its first"
    AGAIN = "what was sent once arrives once"
    EARLY = "first in, first out; timers only when nothing else is due"
    LATE = "first in, first out"


class Deviation(NamedTuple):
    """One deviation: of which kind, at which step of the run (from 0; -1 is the start), and for an order
    that is broken the step with which: the last that came before it (`LATE`), or the last that it was
    to wait for (`EARLY`); `waits` instead, if that never happens in this run."""

    kind: Unusual
    step: int
    other: int = -1
    waits: Choice | None = None


def deviations(world: AnyWorld, start: Start[Any], choices: Sequence[Choice]) -> list[Deviation]:
    """The deviations of a run, in the order of its steps.

    Of the orders that are broken it counts how many steps would have to be moved to restore them all
    (found greedily: the step in most of the broken pairs first).
    """
    if world.usual(start.place) is not None:
        return departures(world, start, choices)
    found = [Deviation(Unusual.START, -1)] if start.choices != world.starts()[0].choices else []
    usual = Canonical()
    usual.begin(world, start)
    last = {choice.takes: step for step, choice in enumerate(choices) if is_plain(choice)}
    comes = {choice.takes: step for step, choice in enumerate(choices)}
    at = start.place
    broken: list[tuple[int, int]] = []
    vain: dict[int, Choice] = {}
    for step, choice in enumerate(choices):
        kind, overtaken = _judge(usual, at, choice)
        if kind is not None:
            found.append(Deviation(kind, step))
        if kind in (None, Unusual.CHOICE):
            later = {last.get(other.takes, -1) for other in overtaken}
            broken += [(step, other) for other in sorted(later) if other > step]
            never = [one for one in overtaken if one.takes[0] == MESSAGE and comes.get(one.takes, -1) <= step]
            if never and choice.takes[0] == FIRE:
                vain[step] = never[-1]
        after = world.apply(at, choice)
        usual.follow(at, choice, after)
        at = after
    found += _moved(broken)
    early = {deviation.step for deviation in found if deviation.kind is Unusual.EARLY}
    found += [Deviation(Unusual.EARLY, step, waits=other) for step, other in vain.items() if step not in early]
    return sorted(found, key=lambda deviation: (deviation.step, deviation.kind.name))


def departures(world: AnyWorld, start: Start[Any], choices: Sequence[Choice]) -> list[Deviation]:
    """The deviations of a run of a world whose places say what is usual: every choice that is not the usual one."""
    found, at = [], start.place
    for step, choice in enumerate(choices):
        usual = usual_at(world, at)
        if choice != usual:
            found.append(Deviation(Unusual.EARLY if choice.progress else Unusual.FAULT, step))
        at = world.apply(at, choice)
    return found


def counted(found: Sequence[Deviation]) -> list[Deviation]:
    """Those that are minimised. A timer that does not wait for what never comes costs nothing: to let that come first would
    make the run longer, and no easier to read."""
    return [deviation for deviation in found if deviation.waits is None]


def is_plain(choice: Choice) -> bool:
    """Whether no fault is in it, and the environment does not do it."""
    return choice.progress


def _judge(usual: Canonical, at: Any, choice: Choice) -> tuple[Unusual | None, list[Choice]]:
    """How `choice` deviates by itself, and what was due before it."""
    if not is_plain(choice):
        return (Unusual.FAULT if choice.strikes else Unusual.ENVIRONMENT), []
    overtaken: list[Choice] = []
    for ways in usual.due(at):
        if ways[0].takes == choice.takes:
            return (Unusual.CHOICE if ways[0].choices != choice.choices else None), overtaken
        overtaken.append(ways[0])
    return Unusual.AGAIN, []


def _moved(broken: list[tuple[int, int]]) -> list[Deviation]:
    """The steps that are out of order: few that together are in all of the broken pairs."""
    found = []
    while broken:
        counts: dict[int, int] = {}
        for pair in broken:
            for step in pair:
                counts[step] = counts.get(step, 0) + 1
        worst = max(counts, key=lambda step: (counts[step], step))
        earlier = [one for one, other in broken if other == worst]
        later = [other for one, other in broken if one == worst]
        found.append(
            Deviation(Unusual.LATE, worst, max(earlier)) if earlier else Deviation(Unusual.EARLY, worst, max(later))
        )
        broken = [pair for pair in broken if worst not in pair]
    return found
