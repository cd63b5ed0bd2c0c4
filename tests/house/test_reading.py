"""The documents stand in the order of a reader, and none takes him longer than ten minutes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
WORDS_A_MINUTE = 240
MINUTES_MAX = 10
ORDER = ("Why", "Tutorial", "Tutorial for asyncio code", "Guides", "Reference", "Semantics", "Design")
"""What a reader comes by, the first question first."""


def minutes(text: str) -> float:
    """How long it takes to read it: code is looked at and tables are looked up, and neither is counted."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.S | re.M)
    return sum(len(line.split()) for line in prose.splitlines() if not line.startswith("|")) / WORDS_A_MINUTE


def titles(site: str) -> list[str]:
    """The first level of the navigation."""
    return re.findall(r'^  - "?([^":\n]+(?:: [^":\n]+)?)"?:', site.partition("\nnav:\n")[2], re.M)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_page_takes_longer_than_ten_minutes(path: Path) -> None:
    assert minutes(path.read_text("utf-8")) <= MINUTES_MAX


def test_a_page_that_takes_longer_is_noticed_and_what_is_not_read_is_not_counted() -> None:
    assert minutes("a word " * 1_201) > MINUTES_MAX
    assert minutes("```python\n" + "a word\n" * 5_000 + "```\n" + "| a | b |\n" * 5_000) == 0


def in_order(site: str) -> bool:
    found = titles(site)
    places = [found.index(title) for title in ORDER]
    return places == sorted(places)


def test_the_documents_are_in_the_order_of_a_reader() -> None:
    site = (ROOT / "mkdocs.yml").read_text("utf-8")
    assert in_order(site)
    assert not in_order(site.replace("  - Why: why.md\n", "").replace("  - Project:", "  - Why: why.md\n  - Project:"))
