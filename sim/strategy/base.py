"""The protocol of strategies."""

from __future__ import annotations

from typing import Protocol

from sim.base.mixer import GAMMA, MASK, derive, mix
from sim.graph.action import Action
from sim.graph.graph import Graph, Start, State


class Strategy(Protocol):
    """Picks the next action. One object drives one run at a time; `begin` makes it new.

    The same system, seed and strategy give the same schedule, whatever was run before.
    """

    name: str
    seed: int

    @property
    def now_ms(self) -> int | None:
        """Virtual time of the last pick, in milliseconds; None where time is not simulated."""

    def begin(self, graph: Graph) -> Start:
        """Choose how to begin, and forget every former run."""

    def pick(self, state: State) -> Action | None:
        """An action enabled in `state`; None ends the run."""

    def took(self, action: Action) -> None:
        """`action` was applied."""


def least(actions: list[Action], base: int) -> Action:
    """The action with the least mix of `base` and its key: uniform, and independent of the order in
    which the actions are listed or were met."""
    best = actions[0]
    least_draw = mix(base ^ best.key)
    for action in actions[1:]:
        draw = mix(base ^ action.key)
        if draw < least_draw or (draw == least_draw and action.code < best.code):
            best, least_draw = action, draw
    return best


def base_of(seed: int, step: int) -> int:
    """What the picks of one step are mixed with."""
    return mix((seed + (step + 1) * GAMMA) & MASK)


def choose_start(graph: Graph, seed: int) -> Start:
    """One of the ways to begin, each with the same probability."""
    starts = graph.starts()
    if len(starts) == 1:
        return starts[0]
    return starts[(derive(seed, "start") * len(starts)) >> 64]


def least_moving(graph: Graph, state: State, actions: list[Action], base: int) -> Action | None:
    """As `least`, among the actions that change the state; None where none does."""
    if not actions:
        return None
    action = least(actions, base)
    if consumes(graph, action) or graph.changes(state, action):
        return action
    moving = [other for other in actions if graph.changes(state, other)]
    return least(moving, base) if moving else None


def consumes(graph: Graph, action: Action) -> bool:
    """Whether it takes a message off the network for good, and so changes every state it is enabled in."""
    return action.consumed >= 0 and graph.network.name != "set" and action.consumed not in action.sends
