"""What a scenario file says, as values: the scenario, its schedule's items, its expectations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from sim.base.errors import ConfigError
from sim.live.program_parts import ProgramParts
from sim.system.declaration import Declaration
from sim.system.persisted import Persisted, begun_from
from sim.world.address import Address
from sim.world.timing import Timing

if TYPE_CHECKING:
    from sim.metrics.settings import MetricsSettings

Opened = Declaration | ProgramParts
"""What a model makes: a system of machines, or a program."""
Then = Literal["stop", "usual"]

STRATEGIES = ("virtual_time", "uniform", "pctcp", "pos", "swarm", "timed", "delay_bounded", "portfolio")
"""The strategies of a run without an explicit schedule; the first is the default."""

REPLAY = "replay"
"""The strategy of a scenario with an explicit schedule."""

SEED_MAX = 2**64 - 1


@dataclass(frozen=True)
class ScheduleItem:
    """One item of an explicit schedule: its text, what it means, its line and column (from 1), and of what is repeated
    which round it is of (`n = 6`)."""

    text: str
    address: Address
    line: int
    column: int
    round: str = ""


@dataclass(frozen=True)
class Expectation:
    """What a scenario expects of its run; what is empty is not checked.

    - `violation`: the property that must be violated; None with `violated`: any
    - `emitted`: emission class name -> how many
    - `rejected`: reason -> how many
    - `states`: process or monitor -> name of its state at the end
    """

    verdict: Literal["ok", "violated"] = "ok"
    violation: str | None = None
    emitted: Mapping[str, int] = field(default_factory=dict)
    rejected: Mapping[str, int] = field(default_factory=dict)
    states: Mapping[str, str] = field(default_factory=dict)
    lines: Mapping[tuple[str, ...], int] = field(default_factory=dict, compare=False)
    """The line of the file in which each of these stands: of `("emitted", "Counted")`, 12."""

    def line_of(self, *path: str) -> int:
        """The line of this expectation; what the file does not say is expected of its first line."""
        return self.lines.get(path, self.lines.get((), 1))


def _usual_metrics() -> MetricsSettings:
    from sim.metrics.settings import MetricsSettings

    return MetricsSettings()


@dataclass(frozen=True)
class Scenario:
    """A scenario file, read and checked.

    - `config`: the configuration as given, overrides included
    - `system`: for a run: its fault budget is the scenario's plan (empty without one); with an explicit schedule, every
      fault that the schedule uses, without limit
    - `model_system`: for check and fuzz: it keeps the model's own budget unless faults are given
    - `strategy`, `seed`: what picks the schedule; with an explicit schedule the strategy is `replay`
    - `schedule`: the explicit schedule, or None; `then`: what follows it: `stop` ends there, `usual` continues in the
      canonical order until nothing more happens
    - `timing`: the model's, overridden by the file's
    - `epoch`: the instant of virtual time 0, with its offset from UTC
    - `metrics`: how the run is measured, and what it costs
    """

    path: str
    model: str
    config: Mapping[str, Any]
    system: Opened
    model_system: Opened
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
    metrics: MetricsSettings = field(default_factory=_usual_metrics)


class KeptSchedule(NamedTuple):
    """What a scenario file says without its model: whose schedule it is, and the schedule."""

    model: str
    schedule: tuple[ScheduleItem, ...]


@dataclass(frozen=True)
class Target:
    """What a command works on: a scenario file, or a model by its dotted name."""

    name: str
    model: str
    config: Mapping[str, Any]
    system: Opened
    scenario: Scenario | None = None

    @property
    def declaration(self) -> Declaration:
        """Its system of machines. Raises `ConfigError` for a program."""
        if isinstance(self.system, Declaration):
            return self.system
        raise ConfigError(
            f"{self.name}: is a program; this is for systems of machines; use sim fuzz, sim check or sim run"
        )

    def begun_from(self, persisted: Persisted) -> Target:
        """The same, begun with what was persisted of a run. Raises `ModelError` for what does not fit, and `ConfigError`
        for a file that says itself where it begins."""
        if self.system.begins is not None:
            raise ConfigError(f"{self.name}: says itself where it begins; leave out --from, or `begins:` in the file")
        return replace(self, system=begun_from(self.declaration, persisted))
