"""Sessions in columns, for people."""

from __future__ import annotations

from collections.abc import Collection, Sequence

BRANCH_WIDTH = 24
"""Characters of a branch that a table shows; the end of a long name says more than its beginning."""


def in_columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """One line for each row, the columns under each other."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))] if rows else []
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def branch_text(branch: str | None, branches: Collection[str]) -> str:
    """A branch, with a note if it is not among those that exist now; `branches` is empty if they are not known."""
    if branch is None:
        return "-"
    shown = branch if len(branch) <= BRANCH_WIDTH else "…" + branch[1 - BRANCH_WIDTH :]
    return shown if branch in branches or not branches else f"{shown} (gone)"


def age(ms: int) -> str:
    """How long ago, in the largest unit that fits: `3 s`, `5 min`."""
    seconds = ms // 1000
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
