"""What a world promises (`sim.world.world`), held against what it does along some runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from sim.base.mixer import key64
from sim.strategy import Canonical, Strategy, Uniform
from sim.world.address import parse_address
from sim.world.choice import Pending, Subject
from sim.world.world import AnyWorld, World

MEMBERS = sorted(name for name in {*vars(World), *World.__annotations__} if not name.startswith("_"))
"""What a world has."""


def complaints(world: AnyWorld, seeds: int = 5, steps: int = 40) -> list[str]:
    """What breaks the promises, each once."""
    found: dict[str, None] = {}
    strategies: list[Strategy] = [Canonical(), *map(Uniform, range(seeds))]
    for strategy in strategies:
        start = strategy.begin(world)
        at = start.place
        announced: Counter[Subject] = Counter()
        found |= dict.fromkeys(_announce(world, announced, start, at))
        for _ in range(steps):
            found |= dict.fromkeys((*_of_place(world, at, announced), *_of_what_is_enabled(world, at)))
            choice = strategy.pick(at)
            if choice is None:
                break
            after = world.apply(at, choice)
            found |= dict.fromkeys(_of_step(world, at, choice, after))
            found |= dict.fromkeys(_announce(world, announced, choice, after))
            strategy.took(choice, after)
            at = after
    return list(found)


def _of_place(world: AnyWorld, at: Any, announced: Counter[Subject]) -> Iterator[str]:
    enabled, again = list(world.enabled(at)), list(world.enabled(at))
    for choice in enabled:
        text = str(choice.address)
        if [choice == other for other in again].count(True) != 1 or hash(choice) not in map(hash, again):
            yield f"{text}: asked twice, it is not one choice"
        if choice.key != key64(choice.code):
            yield f"{text}: its key is not that of its code"
        if str(parse_address(text)) != text or not parse_address(text).fits(choice.address):
            yield f"{text}: its address does not mean it"
        if bool(choice.strikes) != bool(choice.pays) or any(not 0 <= i < len(world.faults) for i in choice.pays):
            yield f"{text}: what it strikes with is not what it pays for"
        if choice.strikes and (choice.progress or not world.may_strike(at)):
            yield f"{text}: strikes where nothing may strike"
        if choice.ripe and not (choice.strikes and world.ripens):
            yield f"{text}: is ripe, and no fault or not in a world of such"
        if choice.always_changes and not world.changes(at, choice):
            yield f"{text}: always changes something, and does not here"
        if not choice.strikes:
            if not announced[choice.takes]:
                yield f"{text}: was never announced"
            if choice not in (world.ways(at, choice.takes) or ()):
                yield f"{text}: is no way of what it happens to"
    if world.quiescent(at) != (not any(c.progress and world.changes(at, c) for c in enabled)):
        yield "rests where something progresses, or does not where nothing does"
    if world.fingerprint(at) != world.fingerprint(at) or world.record(at) != world.record(at):
        yield "one place is known by two fingerprints"


def _of_what_is_enabled(world: AnyWorld, at: Any) -> Iterator[str]:
    enabled = list(world.enabled(at))
    if len({choice.code for choice in enabled}) != len(enabled):
        yield "two choices have one code"
    if {c.code for c in world.unstruck(at)} != {c.code for c in enabled if not c.strikes}:
        yield "says something else of what is no fault"


def _of_step(world: AnyWorld, at: Any, choice: Any, after: Any) -> Iterator[str]:
    if world.apply(at, choice) != after:
        yield f"{choice.address}: leads to two places"
    if world.changes(at, choice) != (after != at):
        yield f"{choice.address}: is wrong about whether it changes anything"


def _announce(world: AnyWorld, announced: Counter[Subject], taken: Any, at: Any) -> Iterator[str]:
    due: list[Pending] = list(world.due(taken, at))
    announced.update(pending.subject for pending in due)
    messages = [pending.subject for pending in due if pending.address is not None]
    if Counter(messages) != Counter(taken.brings):
        yield f"{taken.address}: brings other messages than become due"
    for pending in due:
        if pending.ready and world.ways(at, pending.subject) is None:
            yield f"{taken.address}: what is due after it is not pending"
