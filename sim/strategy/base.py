"""The protocol of strategies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from sim.base.mixer import GAMMA, MASK, derive, mix
from sim.world.choice import Choice, Start
from sim.world.world import AnyWorld


class Strategy(Protocol):
    """Picks what happens next. One object drives one run at a time; `begin` makes it new.

    The same world, seed and strategy give the same schedule, whatever was run before.
    """

    name: str
    seed: int

    @property
    def now_ms(self) -> int | None:
        """Virtual time of the last pick, in milliseconds; None if time is not simulated."""

    def begin(self, world: AnyWorld) -> Start[Any]:
        """Choose how to begin, and forget every former run."""

    def pick(self, at: Any) -> Choice | None:
        """A choice enabled at this place; None ends the run."""

    def took(self, choice: Choice, at: Any) -> None:
        """`choice` was taken, and led to `at`."""


def least(choices: Sequence[Choice], base: int) -> Choice:
    """The choice with the least mix of `base` and its key: uniform, and independent of the order in
    which the choices are listed or were met."""
    best = choices[0]
    least_draw = mix(base ^ best.key)
    for choice in choices[1:]:
        draw = mix(base ^ choice.key)
        if draw < least_draw or (draw == least_draw and choice.code < best.code):
            best, least_draw = choice, draw
    return best


def base_of(seed: int, step: int) -> int:
    """What the picks of one step are mixed with."""
    return mix((seed + (step + 1) * GAMMA) & MASK)


def choose_start(world: AnyWorld, seed: int) -> Start[Any]:
    """One of the ways to begin, each with the same probability."""
    starts = world.starts()
    if len(starts) == 1:
        return starts[0]
    return starts[(derive(seed, "start") * len(starts)) >> 64]


def least_moving(world: AnyWorld, at: Any, choices: Sequence[Choice], seed: int, step: int) -> Choice | None:
    """As `least` with the draw of one step, among the choices that lead elsewhere; None where none does."""
    if len(choices) == 1:
        choice = choices[0]
        return choice if choice.always_changes or world.changes(at, choice) else None
    if not choices:
        return None
    base = base_of(seed, step)
    choice = least(choices, base)
    if choice.always_changes or world.changes(at, choice):
        return choice
    moving = [other for other in choices if world.changes(at, other)]
    return least(moving, base) if moving else None
