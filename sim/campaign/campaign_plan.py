"""The task of a campaign: plain data, kept in its session and sent to its workers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sim.base.errors import ConfigError
from sim.faults.plan import show_plan
from sim.live.program_parts import ProgramParts
from sim.scenario import Target, load_target
from sim.scenario.beginning import read_beginning
from sim.scenario.parsed import Opened
from sim.system.declaration import Declaration
from sim.system.persisted_form import form_of

CHUNK_MAX = 50_000
"""At most this many schedules per chunk, unless the campaign says otherwise: about a tenth of a second of the compiled walk, a
minute of the plain one. Time that is up ends a chunk, too."""
LIVE_CHUNK_MAX = 500
"""The same of a program, whose schedules take a thousand times as long as those of a model."""
CHUNKS_MIN = 16
"""A small campaign has about this many chunks, so that several workers have something to do."""


@dataclass(frozen=True)
class CampaignPlan:
    """The parameters of a campaign. Two campaigns with the same plan and the same code have the same findings and the
    same coverage, whoever runs their chunks."""

    target: str
    """A scenario file or a model, as it was named."""
    model: str
    text: str | None
    """The text of the scenario file, as it was when the campaign began."""
    overrides: tuple[tuple[str, str], ...]
    faults: str | None
    faults_from: str
    allow: tuple[str, ...]
    """The models that were named on the command line."""
    seed: int
    strategy: str
    schedules: int | None
    """None: as many as time allows."""
    seconds: float | None
    keep_going: bool
    chunk: int
    max_steps: int
    begins: str | None = None
    """What was persisted of a run, as JSON, where the campaign begins there: whoever runs a chunk begins with the same."""

    def load(self) -> Target:
        """The target, read again. Raises `ScenarioError`."""
        target = load_target(
            self.target,
            dict(self.overrides),
            faults=self.faults,
            faults_from=self.faults_from,
            allow={*self.allow, self.model},
            text=self.text,
        )
        if self.begins is None:
            return target
        persisted, wrong = read_beginning(json.loads(self.begins), target.declaration)
        if wrong:
            raise ConfigError(*(f"begins: {'.'.join(map(str, one.path))}: {one.mistake}" for one in wrong))
        return target.begun_from(persisted)

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> CampaignPlan:
        data: dict[str, Any] = json.loads(text)
        overrides = tuple((key, value) for key, value in data["overrides"])
        return cls(**{**data, "overrides": overrides, "allow": tuple(data["allow"])})


def beginning_text(system: Declaration) -> str:
    """Where a system begins that does not begin at its start, for a plan."""
    return json.dumps(form_of(system), ensure_ascii=False)


def chunk_size(schedules: int | None, system: Opened | None = None) -> int:
    """The size of the chunks of a campaign: it depends on the campaign only, not on its workers."""
    most = LIVE_CHUNK_MAX if isinstance(system, ProgramParts) else CHUNK_MAX
    return most if schedules is None else max(1, min(most, -(-schedules // CHUNKS_MIN)))


def system_of(target: Target, project: str) -> str:
    """The identity of a target's system, as text: a counterexample says nothing about another system, and a model of
    the same name in another project is another system."""
    system = target.system
    parts: Mapping[str, Any] = {
        "model": target.model,
        "config": dict(target.config),
        "faults": show_plan(system.budget),
        **{key: value for key, value in system.scenario_keys.items() if value is not None},
    }
    if project:
        parts = {**parts, "project": project}
    return json.dumps(parts, sort_keys=True, default=str, ensure_ascii=False)
