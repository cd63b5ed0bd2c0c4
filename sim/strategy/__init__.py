"""Strategies: each picks the next action among the enabled ones. One file a strategy.

What belongs here: orders of events, and their seeds. What does not: what an action does (`sim.graph`),
what is right (`sim.judge`), what is recorded (`sim.trace`).
"""

from sim.scenario.values import Scenario
from sim.strategy.base import Strategy
from sim.strategy.canonical import Canonical
from sim.strategy.replay import Replay
from sim.strategy.uniform import Uniform
from sim.strategy.virtual_time import VirtualTime

__all__ = ["Canonical", "Replay", "Strategy", "Uniform", "VirtualTime", "strategy_of"]


def strategy_of(scenario: Scenario) -> Strategy:
    """The strategy that a scenario asks for."""
    if scenario.schedule is not None:
        return Replay([item.address for item in scenario.schedule], then_usual=scenario.then == "usual")
    if scenario.strategy == Uniform.name:
        return Uniform(scenario.seed)
    return VirtualTime(scenario.seed)
