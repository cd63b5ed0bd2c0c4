"""What a scenario says about its metrics, checked against the system."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.base.durations import EPOCH
from sim.base.errors import unknown
from sim.live.program_parts import ProgramParts
from sim.metrics.settings import MetricsSettings
from sim.scenario.mistakes import Mistakes
from sim.scenario.parsed import Opened
from sim.scenario.tree import Node

if TYPE_CHECKING:
    from sim.scenario.schema import ScenarioShape


def read_metrics(root: Node, shape: ScenarioShape, system: Opened, mistakes: Mistakes) -> MetricsSettings:
    """How the run is measured; the prices are those of the scenario's epoch."""
    given = shape.metrics
    is_program = isinstance(
        system, ProgramParts
    )  # whose agents are known when they are asked, by the names of their models
    for agent, model in given.models.items():
        if agent not in system.processes and not is_program:
            place = root.key_place("metrics", "models", agent)
            mistakes.add(place, unknown("process", agent, system.processes))
        if not model:
            mistakes.add(root.place_of("metrics", "models", agent), f"the model of {agent} is empty; name one")
    for key in ("prices", "budget_usd"):
        if "metrics" in root.keys and key in root.find(("metrics",))[1].keys and not (given.models or is_program):
            mistakes.add(
                root.key_place("metrics", key),
                f"metrics.{key} without metrics.models, so nothing has a price; write models: {{AGENT: MODEL}}",
            )
    usual = MetricsSettings()
    return MetricsSettings(
        enabled=given.enabled,
        window=usual.window if given.window is None else given.window,
        context_window=given.context_window,
        models=given.models,
        prices=given.prices,
        budget_usd=given.budget_usd or usual.budget_usd,
        planned_turns=given.planned_turns,
        as_of=shape.epoch or EPOCH,
    )
