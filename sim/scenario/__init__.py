"""Scenario files: a model, its configuration, the faults that strike it and what is expected, in YAML.

What belongs here: the schema, reading with all mistakes at once, which models a file may import, writing.
What does not: running a scenario, and any rule of the models themselves. The only part of roundsim that
imports pydantic and ruamel.yaml.
"""

from __future__ import annotations

from sim.scenario.loader import load_scenario, load_target, parse_scenario
from sim.scenario.models import bundled
from sim.scenario.parsed import Expectation, Scenario, ScheduleItem, Target
from sim.scenario.schema import REPLAY, STRATEGIES, json_schema
from sim.scenario.writer import scenario_text, write_scenario, write_text

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
    "load_target",
    "parse_scenario",
    "scenario_text",
    "write_scenario",
    "write_text",
]
