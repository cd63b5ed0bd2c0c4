"""Collects the mistakes of one file, each with its place, and raises them all at once."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from sim.base.errors import ScenarioError, SimError, brief
from sim.base.printing import printable

MISTAKES_MAX = 100
"""How many are printed; nobody reads more of them."""

TEXT_MAX = 600


class FilePlace(NamedTuple):
    """Line and column, both from 1."""

    line: int
    column: int


START = FilePlace(1, 1)


def one_line(text: str) -> str:
    """`text` on one line, without control characters: a mistake may quote anything from a file."""
    text = printable(re.sub(r"\s+", " ", text).strip())
    return text if len(text) <= TEXT_MAX else text[: TEXT_MAX - 3] + "..."


def said(value: Any) -> str:
    """What a wrong value is, in words."""
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return f"the truth value {str(value).lower()}"
    if isinstance(value, str):
        return f"the text {brief(value)}"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, dict):
        return "a mapping"
    return f"the number {value}"


class Mistakes:
    """The mistakes found in one file so far; with an empty path, in the options of a command line."""

    def __init__(self, path: str) -> None:
        self.path = one_line(path)
        self._found: dict[tuple[FilePlace | None, str], None] = {}
        self._told: set[tuple[FilePlace, str]] = set()

    def add(self, place: FilePlace | None, text: str) -> None:
        """One mistake; without a place it is about an option of the command line or the file as a whole."""
        self._found.setdefault((place, one_line(text)))

    def add_once(self, place: FilePlace, before: str, text: str) -> None:
        """One mistake after the words `before`; the same at that place after other words, as in each round of a repeat,
        is not told again."""
        if (place, text) not in self._told:
            self._told.add((place, text))
            self.add(place, before + text)

    def add_all(self, place: FilePlace | None, error: SimError, before: str = "") -> None:
        """Every mistake of `error`, each after the words `before`."""
        for mistake in error.mistakes or (str(error),):
            self.add(place, before + mistake)

    def __len__(self) -> int:
        return len(self._found)

    def raise_any(self) -> None:
        """Raise `ScenarioError` if there is a mistake, with one line for each, in the order of the file."""
        if not self._found:
            return
        found = sorted(self._found, key=lambda m: (m[0] is not None, m[0] or START))
        lines = [
            f"{self.path}:{place.line}:{place.column}: {text}" if place and self.path else text for place, text in found
        ]
        if len(lines) > MISTAKES_MAX:
            lines = [*lines[:MISTAKES_MAX], f"{self.path}: and {len(lines) - MISTAKES_MAX} more mistakes"]
        raise ScenarioError(*lines)
