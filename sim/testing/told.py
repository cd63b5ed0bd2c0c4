"""A failure, reported so that it can be replayed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sim.base.printing import printable
from sim.run.trace import Run
from sim.scenario import scenario_text
from sim.scenario.models import called, is_bundled


class PropertyViolation(AssertionError):
    """A property of the system under test does not hold; `run` is the run that shows it."""

    def __init__(self, run: Run, model: str = "", config: Mapping[str, Any] | None = None) -> None:
        super().__init__(replay_text(run, model, config))
        self.run = run


def replay_text(run: Run, model: str = "", config: Mapping[str, Any] | None = None) -> str:
    """What is wrong with `run`, and what replays it: with `model` (the dotted name of a module whose
    `system(**config)` makes the system) a scenario file, otherwise a call of `simulate`.
    """
    finding = run.finding
    what = f"{finding.property} is violated: {finding.message}" if finding else f"nothing is wrong: {run.ending.value}"
    schedule = run.trace.schedule()
    head = printable(f"after {run.steps} steps, {what}")
    if not model:
        return f"{head}\n{replay_call(schedule)}"
    name = called(model)
    allow = "" if is_bundled(name) else f" --model {name}"
    expect = {"verdict": "violated", "violation": finding.property} if finding else {"verdict": run.verdict}
    keys = {
        "model": name,
        "config": dict(config or {}) or None,
        **run.trace.world.scenario_keys,
        "expect": expect,
        "schedule": schedule,
    }
    return f"{head}\nreplay it with `sim run FILE{allow}`, FILE being\n\n{scenario_text(keys)}"


def replay_call(schedule: Sequence[str]) -> str:
    """What replays a schedule of a system that no scenario file can name."""
    items = "".join(f"    {item!r},\n" for item in schedule)
    return f"replay it with\nsimulate(system, Replay((\n{items})))"
