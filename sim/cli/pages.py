"""Writes the views of a run: its page, and files for other tools; and says which run a page shows that comes from no file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from sim.report.outcome import JudgedRun
from sim.report.write import write_report
from sim.scenario import Scenario, Target

if TYPE_CHECKING:
    from sim.conform.conformance import JudgedLog


def write_files(outcome: JudgedRun, files: Mapping[str, str], log: JudgedLog | None = None) -> None:
    """Write a run as each of these formats, into its file; on its page beside the log that it explains, if it is given.
    Raises `ConfigError`."""
    for form, path in files.items():
        if form == "html":
            from sim.report.html import page

            write_report(path, page(outcome, log), f"--{form}")
        else:
            from sim.report.export import exported

            write_report(path, exported(outcome, form), f"--export {form}=")


def unwritten(target: Target) -> Scenario:
    """A scenario of a target that stands in no file, and whose schedule nobody has chosen yet."""
    from sim.scenario import parse_scenario, scenario_text

    text = scenario_text({"model": target.model, "config": dict(target.config) or None})
    return replace(parse_scenario(text, target.name, allow=(target.model,)), system=target.system, schedule=())
