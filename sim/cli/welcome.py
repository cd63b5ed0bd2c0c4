"""`sim` alone: three things to try, which work where one stands.

What is looked at is only read: no model is imported, no file is believed further than the line that names its model.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from sim.base import printing
from sim.base.folded import folded
from sim.base.marked import Meaning, marked
from sim.cli import options
from sim.cli.terminal import width_of_output

LOOKED_MAX = 200
"""Files that are looked at; there may be any number of others."""
READ_MAX = 1 << 16
"""Bytes of a file that are read."""
_MODEL = re.compile(r"^model:[ \t]*([\w.]+)[ \t]*(?:#.*)?$", re.M)
_SYSTEM = re.compile(r"^def system\(", re.M)
_OURS = re.compile(r"^(?:from|import) (?:sim|roundsim)\b", re.M)
FOLDERS = ("scenarios", "counterexamples", ".")


class Tip(NamedTuple):
    """A command, and what it does."""

    command: str
    does: str


def tips() -> list[Tip]:
    """Three commands that work in this folder."""
    here = options.working_directory()
    found = [*islice(_of_scenarios(here), 1), *islice(_of_models(here), 1)]
    always = [
        Tip("sim demo", "a race, from nothing to its fix"),
        Tip("sim check models.two_phase_commit", "every schedule of a model that is built in"),
        Tip("sim doctor", "what is installed, and what each part is for"),
    ]
    if os.access(here, os.W_OK) and not (here / "council").exists():
        always.insert(2, Tip("sim new council", "a folder with a model, a scenario and tests"))
    return [*found, *always][:3]


def welcome() -> None:
    """Print them."""
    three, width = tips(), width_of_output()
    widest = max(len(tip.command) for tip in three)
    beside = width is None or all(4 + widest + 2 + len(tip.does) <= width for tip in three)
    lines = ["roundsim finds the races of coordinators, and keeps each as a file. Three things to try here:", ""]
    for tip in three:
        command = ("    ", (tip.command, Meaning.WHO))
        if beside:
            lines.append(marked(*command, " " * (widest - len(tip.command)), f"  {tip.does}"))
        else:
            lines += [marked(*command), f"        {tip.does}"]
    lines += ["", "All commands: sim --help. What is installed: sim doctor."]
    printing.out(*(part for line in lines for part in ([line] if "    sim" in line else folded(line, width, 0))))


def _of_scenarios(here: Path) -> Iterator[Tip]:
    """How to run the scenario files that are here, and whose model is."""
    for folder in FOLDERS:
        for file in _files(here / folder, ".yaml", deep=folder == "scenarios"):
            model = _MODEL.search(_text(file))
            if model is None:
                continue
            name, path = model[1], os.path.relpath(file, here)
            if _is_built_in(name):
                yield Tip(options.command_line("run", path), "a scenario of this folder, step by step")
            elif _is_module(here, name):
                yield Tip(options.command_line("run", path, allow=[name]), "a scenario of this folder, step by step")


def _of_models(here: Path) -> Iterator[Tip]:
    """How to fuzz the models that are here."""
    for file in _files(here, ".py", deep=False):
        text = _text(file)
        if file.stem.isidentifier() and _OURS.search(text) and _SYSTEM.search(text):
            yield Tip(f"sim fuzz {file.stem} --schedules 1000", "a thousand schedules of a model of this folder")


def _files(folder: Path, suffix: str, *, deep: bool) -> Iterator[Path]:
    """The plain files with this ending, in the order of their names; what cannot be looked at is passed over."""
    try:
        found = folder.rglob(f"*{suffix}") if deep else folder.glob(f"*{suffix}")
        yield from sorted(path for path in islice(found, LOOKED_MAX) if path.is_file())
    except OSError:
        return


def _text(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return opened.read(READ_MAX).decode("utf-8")
    except (OSError, ValueError):
        return ""


def _is_built_in(name: str) -> bool:
    from sim.scenario.models import is_bundled

    return is_bundled(name)


def _is_module(here: Path, name: str) -> bool:
    path = here.joinpath(*name.split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()
