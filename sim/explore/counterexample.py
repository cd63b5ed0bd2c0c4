"""A counterexample as a scenario file: a schedule that anyone can read and replay."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sim.explore.found import Told
from sim.scenario import Target, scenario_text


def file_name(model: str, prop: str, number: int = 1) -> str:
    """The name of the file of a violation; `number` tells several of one property apart."""
    name = re.sub(r"[^\w.-]+", "-", f"{model}-{prop}").strip("-").lower()
    return f"{name}.yaml" if number == 1 else f"{name}-{number}.yaml"


def counterexample_text(target: Target, counterexample: Told, header: Sequence[str] = ()) -> str:
    """A counterexample of `target` as the text of a scenario: in words, then the lines of `header`, then
    its schedule."""
    keys = {
        "model": target.model,
        "config": dict(target.config) or None,
        "network": target.system.network,
        "expect": {"verdict": "violated", "violation": counterexample.violated},
        "schedule": list(counterexample.schedule),
    }
    return scenario_text(keys, [f"{counterexample.violated}: {counterexample.message}", *counterexample.words, *header])
