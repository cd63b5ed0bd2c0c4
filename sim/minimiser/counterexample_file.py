"""A counterexample as a scenario file: a schedule that anyone can read and replay."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sim.base.printing import printable
from sim.minimiser.counterexample import Counterexample
from sim.scenario import Target, scenario_text, write_text
from sim.scenario.models import is_bundled, listed_models


class CounterexampleFile(NamedTuple):
    """Where a counterexample is kept, and the command that replays it."""

    path: str
    replay: str

    @classmethod
    def at(cls, path: str, model: str) -> CounterexampleFile:
        """The file at `path` of a counterexample of `model`."""
        return cls(path, replay_command(path, model))

    def write(
        self, target: Target, counterexample: Counterexample, origin: str, expect: Mapping[str, str] | None = None
    ) -> None:
        """Write a counterexample of `target`; `origin` says how it was found. What it violates is expected of it, or else
        what `expect` says."""
        header = [origin, f"Replay it with: {self.replay}"]
        write_text(self.path, counterexample_text(target, counterexample, header, expect))


NAME_MAX = 200
"""Bytes of a name; a file system takes 255 in all."""


def file_name(model: str, prop: str, number: int = 1) -> str:
    """The name of the file of a violation; `number` tells several of one property apart."""
    whole = re.sub(r"[^\w.-]+", "-", f"{model}-{prop}").lower()
    name = whole.encode()[:NAME_MAX].decode(errors="ignore").strip("-")
    return f"{name}.yaml" if number == 1 else f"{name}-{number}.yaml"


def allowances(model: str) -> tuple[str, ...]:
    """What `--model` must name so that a scenario file may import this model."""
    return () if is_bundled(model) or model in listed_models()[0] else (model,)


def replay_command(path: str, model: str) -> str:
    """The command that runs the scenario file at `path`."""
    return shlex.join(["sim", "run", path, *(word for name in allowances(model) for word in ("--model", name))])


def counterexample_text(
    target: Target, counterexample: Counterexample, header: Sequence[str], expect: Mapping[str, str] | None = None
) -> str:
    """A counterexample of `target` as the text of a scenario: in words, then the lines of `header`, then
    its schedule."""
    keys = {
        "model": target.model,
        "config": dict(target.config) or None,
        **target.system.scenario_keys,
        "expect": {"verdict": "violated", "violation": counterexample.property} if expect is None else expect or None,
        "schedule": list(counterexample.schedule),
    }
    told = [f"{counterexample.property}: {counterexample.message}", *counterexample.words, *header]
    return scenario_text(keys, list(map(printable, told)))
