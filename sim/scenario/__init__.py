"""Scenario files: a model, its configuration, the faults that strike it and what is expected, in YAML.

What belongs here: the schema, reading with all mistakes at once, which models a file may import, writing.
What does not: running a scenario, and any rule of the models themselves. The only part of roundsim that
imports pydantic and ruamel.yaml, and only where a file is read.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from sim.scenario.models import bundled
from sim.scenario.parsed import REPLAY, STRATEGIES, Expectation, Scenario, ScheduleItem, Target
from sim.scenario.target import load_target
from sim.scenario.writer import scenario_text, write_scenario, write_text

if TYPE_CHECKING:
    from sim.scenario.loader import load_scenario, load_schedule, parse_scenario
    from sim.scenario.schema import json_schema

_LATER = {**dict.fromkeys(("load_scenario", "load_schedule", "parse_scenario"), "loader"), "json_schema": "schema"}

__all__ = [
    "REPLAY",
    "STRATEGIES",
    "Expectation",
    "Scenario",
    "ScheduleItem",
    "Target",
    "bundled",
    "json_schema",
    "load_scenario",
    "load_schedule",
    "load_target",
    "parse_scenario",
    "scenario_text",
    "write_scenario",
    "write_text",
]


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'sim.scenario' has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(f"sim.scenario.{_LATER[name]}"), name)
    return value
