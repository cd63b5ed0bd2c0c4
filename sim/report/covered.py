"""Which of the declared transitions were covered, for fuzz and check alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

UNTAKEN_MAX = 8
"""How many of the transitions never taken are named; `--json` has them all."""


def transition_count(transitions: tuple[int, int]) -> str:
    """How many of the declared rows were taken."""
    return "transitions  {} of {} taken".format(*transitions)


def transition_lines(transitions: tuple[int, int], untaken: Sequence[str], beyond: int = 0) -> Iterator[str]:
    """The same, the names of those that were not taken, and how many more there are that this configuration cannot take."""
    yield transition_count(transitions) + (f"; {beyond} more are out of reach in this configuration" if beyond else "")
    for name in untaken[:UNTAKEN_MAX]:
        yield f"  never      {name}"
    if len(untaken) > UNTAKEN_MAX:
        yield f"  never      and {len(untaken) - UNTAKEN_MAX} more (--json has them all)"


def transition_data(transitions: tuple[int, int], untaken: Sequence[str]) -> dict[str, Any]:
    """The same as data."""
    taken, declared = transitions
    return {"taken": taken, "declared": declared, "untaken": list(untaken)}
