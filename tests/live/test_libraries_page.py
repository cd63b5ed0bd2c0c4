"""The page of real libraries has the versions that are pinned, and every program that is run over them."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "tests" / "libraries"
PAGE = (ROOT / "docs" / "live_libraries.md").read_text(encoding="utf-8")
PINS = (FOLDER / "requirements.txt").read_text(encoding="utf-8")
PROGRAMS = sorted(path.stem.removeprefix("with_") for path in (FOLDER / "programs").glob("*.py"))
NOT_TRIED = {"pytest", "pytest-xdist"}


def pinned(pins: str) -> dict[str, str]:
    """Library -> version, of those that are tried."""
    lines = pins.partition("\n\n")[0].splitlines()[1:]
    return {name.lower(): version for name, _, version in (line.partition("==") for line in lines)}


def listed(page: str) -> dict[str, str]:
    """The same, from the table of the page."""
    found = {}
    for names, versions in re.findall(r"^\| ([\w, -]+) \| ([\d., ]+) \|", page, re.M):
        found.update(zip(names.split(", "), versions.split(", "), strict=True))
    return found


def untold(page: str) -> list[str]:
    """The programs that the table leaves out."""
    return [name for name in PROGRAMS if not re.search(rf"^\|.*\| `{name}`: ", page, re.M)]


def test_every_library_has_the_version_that_is_pinned() -> None:
    expected = {name: version for name, version in pinned(PINS).items() if name not in NOT_TRIED}
    assert len(expected) > 15
    assert listed(PAGE) == expected


def test_every_program_stands_in_the_table() -> None:
    assert len(PROGRAMS) > 15
    assert untold(PAGE) == []


def test_another_version_and_a_program_that_is_left_out_are_caught() -> None:
    assert listed(PAGE.replace("| 0.28.1 |", "| 0.28.2 |"))["httpx"] == "0.28.2"
    assert untold(PAGE.replace("`langgraph`: ", "")) == ["langgraph"]


def test_all_is_pinned_and_nothing_says_where_it_comes_from() -> None:
    lines = [line for line in PINS.splitlines() if line and not line.startswith("# ")]
    assert [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []
