"""What `check`, `fuzz` and `draw` work on: a scenario file, or a model by its name."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sim.scenario.parsed import Target
from sim.scenario.system_reader import FAULTS_OPTION, SystemReader

SUFFIXES = (".yaml", ".yml")


def is_model_name(target: str) -> bool:
    """Whether a target is the dotted name of a model, and not a scenario file."""
    return not ("/" in target or "\\" in target or target.endswith((*SUFFIXES, ".py")))


def load_target(
    target: str,
    overrides: Mapping[str, str] | None = None,
    *,
    faults: str | None = None,
    faults_from: str = FAULTS_OPTION,
    allow: Collection[str] = (),
    text: str | None = None,
) -> Target:
    """What `check`, `fuzz` and `draw` work on: a scenario file (a path separator, or a name that ends in
    .yaml or .yml) or a model by its dotted name. Its system keeps the model's own fault budget unless
    the file, `faults` or the override `faults` gives another. `text` is the content of the file if it was read before.

    Raises `ScenarioError`, one line for each mistake.
    """
    given = dict(overrides or {})
    if is_model_name(target):
        reader = SystemReader("", given, faults, {*allow, target}, faults_from)
        return Target(target, target, *reader.read_model(target))
    from sim.scenario.loader import explored_scenario

    scenario = explored_scenario(target, text, overrides=given, faults=faults, faults_from=faults_from, allow=allow)
    return Target(target, scenario.model, scenario.config, scenario.model_system, scenario)
