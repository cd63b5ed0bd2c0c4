"""Strategies: each picks the next action among the enabled ones. One file a strategy.

What belongs here: orders of events, and their seeds. What does not: what an action does (`sim.graph`),
what is right (`sim.judge`), what is recorded (`sim.trace`).
"""

from collections.abc import Callable

from sim.errors import ConfigError, listing, nearest
from sim.scenario.values import Scenario
from sim.strategy.base import Strategy
from sim.strategy.canonical import Canonical
from sim.strategy.replay import Replay
from sim.strategy.uniform import Uniform
from sim.strategy.virtual_time import VirtualTime

STRATEGIES: dict[str, Callable[[int], Strategy]] = {
    VirtualTime.name: VirtualTime,
    Uniform.name: Uniform,
}
"""Every strategy that goes by a seed, by name."""

__all__ = ["STRATEGIES", "Canonical", "Replay", "Strategy", "Uniform", "VirtualTime", "make_strategy", "strategy_of"]


def make_strategy(name: str, seed: int, *, number: int = 0, depth: int | None = None) -> Strategy:
    """The strategy called `name` with `seed`. In a fuzz, `number` is that of the schedule.

    Raises `ConfigError` for a name there is none of.
    """
    if name == "portfolio":
        name = (Uniform.name, VirtualTime.name)[number % 2]
    if name not in STRATEGIES:
        raise ConfigError(f"unknown strategy {name!r}{nearest(name, STRATEGIES)}; use {listing(list(STRATEGIES))}")
    return STRATEGIES[name](seed)


def strategy_of(scenario: Scenario) -> Strategy:
    """The strategy that a scenario asks for."""
    if scenario.schedule is not None:
        return Replay([item.address for item in scenario.schedule], then_usual=scenario.then == "usual")
    return make_strategy(scenario.strategy, scenario.seed)
