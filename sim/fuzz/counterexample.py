"""A counterexample as a scenario file: a schedule that anyone can read and replay."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from sim.fuzz.found import Told
from sim.scenario import Target, scenario_text
from sim.scenario.models import is_bundled, listed_models


def file_name(model: str, prop: str, number: int = 1) -> str:
    """The name of the file of a violation; `number` tells several of one property apart."""
    name = re.sub(r"[^\w.-]+", "-", f"{model}-{prop}").strip("-").lower()
    return f"{name}.yaml" if number == 1 else f"{name}-{number}.yaml"


def allowances(model: str) -> tuple[str, ...]:
    """What `--model` must name so that a scenario file may import this model."""
    return () if is_bundled(model) or model in listed_models()[0] else (model,)


def replay_command(path: str, model: str) -> str:
    """The command that runs the scenario file at `path`."""
    return shlex.join(["sim", "run", path, *(word for name in allowances(model) for word in ("--model", name))])


def counterexample_text(target: Target, counterexample: Told, header: Sequence[str] = ()) -> str:
    """A counterexample of `target` as the text of a scenario: in words, then the lines of `header`, then
    its schedule."""
    keys = {
        "model": target.model,
        "config": dict(target.config) or None,
        "network": target.system.network,
        "properties": list(target.system.judged) or None,
        "expect": {"verdict": "violated", "violation": counterexample.violated},
        "schedule": list(counterexample.schedule),
    }
    return scenario_text(keys, [f"{counterexample.violated}: {counterexample.message}", *counterexample.words, *header])
