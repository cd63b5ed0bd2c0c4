"""The run that a scenario file asks for."""

from __future__ import annotations

from sim.run.simulation import simulate
from sim.run.trace import Run
from sim.scenario.parsed import Scenario
from sim.strategy import Replay, Strategy, make_strategy
from sim.world.world import AnyWorld


def strategy_of(scenario: Scenario) -> Strategy:
    """The strategy that a scenario asks for: its schedule replayed, or one by name and seed."""
    if scenario.schedule is not None:
        return Replay([item.address for item in scenario.schedule], then_usual=scenario.then == "usual")
    return make_strategy(scenario.strategy, scenario.seed)


def simulate_scenario(scenario: Scenario, world: AnyWorld | None = None) -> Run:
    """Run a scenario, if wanted in a world of its system that was opened already. Errors are those of `simulate`."""
    return simulate(world or scenario.system, strategy_of(scenario), max_steps=scenario.max_steps)
