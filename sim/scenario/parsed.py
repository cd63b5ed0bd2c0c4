"""What a scenario file says, as values: the scenario, its schedule's items, its expectations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sim.metrics.settings import MetricsSettings
from sim.system.system import System
from sim.system.timing import Timing
from sim.world.address import Address

Then = Literal["stop", "usual"]


@dataclass(frozen=True)
class ScheduleItem:
    """One item of an explicit schedule: its text, what it means, and where it stands (from 1)."""

    text: str
    address: Address
    line: int
    column: int


@dataclass(frozen=True)
class Expectation:
    """What a scenario expects of its run; what is empty is not looked at.

    - `violation`: the property that is to be violated; None with `violated`: any
    - `emitted`: emission class name -> how many
    - `rejected`: reason -> how many
    - `states`: process or monitor -> name of its state at the end
    """

    verdict: Literal["ok", "violated"] = "ok"
    violation: str | None = None
    emitted: Mapping[str, int] = field(default_factory=dict)
    rejected: Mapping[str, int] = field(default_factory=dict)
    states: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Scenario:
    """A scenario file, read and checked.

    - `config`: the configuration as given, overrides included
    - `system`: what a run takes: its fault budget is the scenario's plan (none if it gives none); with
      an explicit schedule, without limit whatever the schedule's items use
    - `model_system`: what check and fuzz take: it keeps the model's own budget unless faults are given
    - `strategy`, `seed`: what picks; with an explicit schedule the strategy is `replay`
    - `schedule`: the explicit schedule, or None; `then`: what follows it: `stop` ends there, `usual` goes
      on in the canonical order until nothing more happens
    - `timing`: the model's, with what the file says instead
    - `epoch`: the instant of virtual time 0, with its offset from UTC
    - `metrics`: how the run is measured, and what it costs
    """

    path: str
    model: str
    config: Mapping[str, Any]
    system: System
    model_system: System
    description: str
    strategy: str
    seed: int
    schedule: tuple[ScheduleItem, ...] | None
    then: Then
    timing: Timing
    max_steps: int
    epoch: datetime
    expect: Expectation
    faults_given: bool
    metrics: MetricsSettings = field(default_factory=MetricsSettings)


@dataclass(frozen=True)
class Target:
    """What a command works on: a scenario file, or a model by its dotted name."""

    name: str
    model: str
    config: Mapping[str, Any]
    system: System
    scenario: Scenario | None = None
