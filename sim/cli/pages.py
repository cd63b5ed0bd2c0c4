"""Writes the views of a run: its page, and files for other tools."""

from __future__ import annotations

from collections.abc import Mapping

from sim.report.outcome import JudgedRun
from sim.report.write import write_report


def write_files(outcome: JudgedRun, files: Mapping[str, str]) -> None:
    """Write a run as each of these formats, into its file. Raises `ConfigError`."""
    for form, path in files.items():
        if form == "html":
            from sim.report.html import page

            write_report(path, page(outcome), f"--{form}")
        else:
            from sim.report.export import exported

            write_report(path, exported(outcome, form), f"--export {form}=")
