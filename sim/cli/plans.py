"""The fault plan of a command, and the line on standard error that says so.

The gate of the command line: `--faults`, `--set faults=...` and a scenario's `faults:` are opt-in and plan in one; a
plan of the environment also requires `SIM_DEV_FAULTS=1`. The first of these wins: the command line, the environment,
the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sim.base.errors import ConfigError, listing, nearest
from sim.faults import environment
from sim.faults.gate import say, say_idle, warn_of_plans
from sim.faults.plan import show_plan
from sim.scenario import Scenario

SCOPES = (environment.SCOPE, "consensus", "auto_drive")
"""The scopes of simulated machines."""
BY_SETTING = "--set faults"
"""The source of a plan that is already in the configuration."""


class GivenPlan(NamedTuple):
    """A plan that replaces a file's (None: no plan), and its source."""

    text: str | None
    source: str


def plan_given(faults: str | None, overrides: Mapping[str, str]) -> GivenPlan:
    """The plan of the command line or the environment; a plan of the environment that has no effect is reported in one
    line on standard error.

    Raises `ConfigError` if the environment's plan is enabled but malformed, or is for other code.
    """
    told = GivenPlan(faults, "--faults" if faults is not None or "faults" not in overrides else BY_SETTING)
    if not environment.opted_in():
        warn_of_plans()
        return told
    if faults is not None or "faults" in overrides:
        say_idle(": the command line gives a plan")
        return told
    found = environment.read_plan()
    if found is None:
        return GivenPlan(None, "--faults")
    if found.scope not in SCOPES:
        raise ConfigError(
            f"{found.variable} is for the scope {found.scope!r}{nearest(found.scope, SCOPES)}; "
            f"for simulated machines use {listing(SCOPES)}"
        )
    return GivenPlan(found.text, found.variable)


def say_on(plan: GivenPlan, scenarios: Iterable[Scenario]) -> None:
    """One line on standard error if any of these runs has a fault plan; of many, how many have one."""
    told: dict[str, None] = {}
    for scenario in scenarios:
        if scenario.schedule is None and any(entry.count != 0 for entry in scenario.system.budget):
            source = plan.source if plan.text is not None or plan.source == BY_SETTING else scenario.path
            told[f"{show_plan(scenario.system.budget)} ({source})"] = None
    if len(told) > TOLD_MAX:
        say(f"faults are on: in {len(told)} scenarios, as these say")
    elif told:
        say(f"faults are on: {'; '.join(told)}")


TOLD_MAX = 3
"""Plans that are told one by one; more of them nobody reads in a line."""


def say_explored(plan: GivenPlan) -> None:
    """The same for a command that explores: there the model's budget is not a plan, the environment's is."""
    if plan.text is not None:
        say(f"faults are on: {plan.text} ({plan.source})")
