"""What the gate cuts, the soak takes whole, and its page says so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.counts import SLICE, examples

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "soak.md").read_text(encoding="utf-8")
SOAKED = [
    path.relative_to(ROOT).as_posix()
    for path in sorted((ROOT / "tests").rglob("test_*.py"))
    if path != Path(__file__) and "mark.soak" in path.read_text(encoding="utf-8")
]


def untold(page: str) -> list[str]:
    """The files with tests of the soak that the page does not name."""
    return [name for name in SOAKED if f"`{name}`" not in page]


def test_the_page_names_every_file_that_takes_part() -> None:
    assert len(SOAKED) > 5
    assert untold(PAGE) == []


def test_a_page_that_leaves_one_out_is_caught() -> None:
    assert untold(PAGE.replace(SOAKED[0], "tests/elsewhere.py")) == [SOAKED[0]]


def test_the_gate_takes_a_slice_of_the_examples_and_the_soak_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYPOTHESIS_PROFILE", "gate")
    assert [examples(n) for n in (20, SLICE, 1_000)] == [20, SLICE, SLICE]
    monkeypatch.setenv("HYPOTHESIS_PROFILE", "wide")
    assert [examples(n) for n in (20, SLICE, 1_000)] == [20, SLICE, 1_000]


def test_make_soak_takes_both_with_whole_counts() -> None:
    recipe = re.search(r"^soak:.*\n\t(.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    assert recipe is not None
    assert recipe[1].startswith("HYPOTHESIS_PROFILE=wide ")
    assert recipe[1].endswith(' -m "soak or hypothesis"')
