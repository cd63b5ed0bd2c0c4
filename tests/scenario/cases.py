"""Reads the table of bad files."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from sim.base.errors import listing
from sim.scenario import bundled

HERE = Path(__file__).parent
NAME = "f.yaml"


class BadFile(NamedTuple):
    name: str
    text: str
    lines: tuple[str, ...]


def bad_files() -> list[BadFile]:
    table = (HERE / "bad_files.txt").read_text("utf-8")
    table = table.replace("{and}", listing(bundled(), "and")).replace("{or}", listing(bundled()))
    return [_case(section) for section in table.split("\n=== ")[1:]]


def _case(section: str) -> BadFile:
    name, *lines = section.rstrip("\n").split("\n")
    text = "".join(f"{line}\n" for line in lines if not line.startswith("! "))
    said = tuple(f"{NAME}:{line[2:]}" for line in lines if line.startswith("! "))
    return BadFile(name, text.replace("␀", "\0").replace("␛", "\x1b"), said)
