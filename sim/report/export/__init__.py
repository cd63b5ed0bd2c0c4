"""A run for other tools: Mermaid, ShiViz, Perfetto, or line by line.

What belongs here: one file a format, each a function from a story to the text of a file. What does not: what
happened in a run (`sim.world.story`).
"""

from __future__ import annotations

import importlib
from collections.abc import Callable

from sim.report.outcome import JudgedRun
from sim.world.story import Story

FORMATS = {
    "jsonl": "one JSON object per line: the run, each step, the outcome",
    "log": "the log that its processes would have written, for `sim conform`",
    "mermaid": "a sequence diagram, which many viewers of Markdown draw",
    "perfetto": "a trace for ui.perfetto.dev or chrome://tracing: states as slices, messages as flows",
    "shiviz": "a log with vector clocks for bestchai.bitbucket.io/shiviz, read with its default expression",
}


def exported(outcome: JudgedRun, form: str) -> str:
    """A run in one of `FORMATS`."""
    write: Callable[[JudgedRun, Story], str] = importlib.import_module(f"sim.report.export.{form}").write
    return write(outcome, outcome.story)
