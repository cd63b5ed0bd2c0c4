"""A counterexample as a scenario file: a schedule that anyone can read and replay."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path

from sim.explore.minimise import Minimised
from sim.scenario import Expectation, Target, write_scenario
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


def write_counterexample(
    path: Path, target: Target, counterexample: Minimised, *, replay: str, origin: Sequence[str] = ()
) -> None:
    """Write a counterexample of `target`: in words, how it was found (`origin`), how it is replayed, and
    its schedule. Raises `ScenarioError` if the file cannot be written."""
    finding = counterexample.finding
    write_scenario(
        path,
        model=target.model,
        config=target.config,
        network=target.system.network,
        schedule=counterexample.schedule,
        expect=Expectation("violated", finding.property),
        header=[
            f"{finding.property}: {finding.message}",
            *counterexample.words,
            *origin,
            f"Replay it with: {replay}",
        ],
    )
