"""What a page of a session shows that goes on while the page is open, beside the run that explains it so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sim.base.printing import printable

TEXT_MAX = 4_000
"""Characters of one payload that are shown."""


@dataclass(frozen=True)
class GoingOn:
    """A session, up to some line of its log."""

    title: str
    how: str
    version: int
    """Another one each time the page is to be drawn anew."""
    lines: int
    facts: Sequence[str] = ()
    """Lines of text, as `sim status` has them: a word, and what is to be said of it from column 12 on."""
    spent: Sequence[str] = ()
    """What was really used, as lines of text."""
    payloads: Mapping[int, Sequence[str]] = field(default_factory=dict)
    """By the number of a line of the log: texts that were said or taken there."""


def going_on_data(session: GoingOn) -> dict[str, Any]:
    """What stands in the place of what a page says of a run that is over."""
    return {
        "title": printable(session.title),
        "how": printable(session.how),
        "facts": [[printable(line[:12].strip()), printable(line[12:])] for line in session.facts],
        "metrics": [*map(printable, session.spent)],
        "payloads": {number: [*map(_lines, texts)] for number, texts in session.payloads.items()},
        "goingOn": {"version": session.version, "lines": session.lines},
    }


def _lines(text: str) -> list[str]:
    more = len(text) - TEXT_MAX
    cut = [f"... and {more:,} characters more: sim status ID --artifacts"] if more > 0 else []
    return [*map(printable, text[:TEXT_MAX].splitlines()), *cut]
