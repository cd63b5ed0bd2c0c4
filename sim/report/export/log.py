"""A run as the log that its processes would have written: what `sim conform` reads."""

from __future__ import annotations

from sim.conform.log_of_run import log_text
from sim.report.outcome import JudgedRun
from sim.world.story import Story


def write(outcome: JudgedRun, _story: Story) -> str:
    """The lines."""
    return log_text(outcome.run.trace, outcome.scenario.model, outcome.scenario.config)
