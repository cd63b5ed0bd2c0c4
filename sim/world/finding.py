"""What is wrong with a run: the property, and a sentence."""

from __future__ import annotations

from typing import NamedTuple


class Finding(NamedTuple):
    """A violated property: its name, and a sentence that says what is wrong."""

    property: str
    message: str


AT_REST = "did not hold before everything came to rest"
"""Of an `eventually`."""


def endless(length: int) -> str:
    """Of an `eventually`: it is avoided by repeating forever."""
    return f"the last {length} actions can be repeated forever without it (fair to every action that stays enabled)"
