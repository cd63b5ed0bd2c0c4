"""What is written of rows: each by itself with its guards, or several together with their guards folded."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sim.world.diagram import DiagramRow

FOLDED = "[…]"
"""Stands for guards that are not written out."""
_WORD = {"stays": "stays", "again": "again", "ignored": "ignores", "deferred": "defers"}


@dataclass(frozen=True)
class Group:
    """Rows that are written together: their numbers in the table, what is said of all, and of each."""

    rows: tuple[int, ...]
    head: str
    items: tuple[str, ...]

    @property
    def text(self) -> str:
        """All of it on one line."""
        return f"{self.head}{', '.join(self.items)}"

    def lines(self, width: int) -> list[str]:
        """The same on lines of about this many characters; no item is divided."""
        whole = [item.replace(" ", "\N{NO-BREAK SPACE}") for item in self.items]
        text = f"{self.head}{', '.join(whole)}"
        found = textwrap.wrap(text, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
        return [line.replace("\N{NO-BREAK SPACE}", " ") for line in found]


def row_text(row: DiagramRow) -> str:
    """Trigger and guards of a row: `patience [may_repeat]`."""
    guards = [*row.conditions, *(f"not {name}" for name in row.unless)]
    return row.trigger + (f" [{', '.join(guards)}]" if guards else "")


def stays_text(row: DiagramRow) -> str:
    """The same for a row that stays in its state, with what it does there."""
    return f"{row_text(row)}: {_handling(row)}"


def inner_rows(rows: tuple[DiagramRow, ...], state: str) -> list[DiagramRow]:
    """The rows that stay in `state`."""
    return [row for row in rows if state in row.sources and not _leads(row, state)]


def leading_rows(rows: tuple[DiagramRow, ...], states: tuple[str, ...]) -> dict[tuple[str, str], list[DiagramRow]]:
    """The rows that lead from one state to another, by both, in the order of the states."""
    found: dict[tuple[str, str], list[DiagramRow]] = {}
    for state in states:
        for row in rows:
            if state in row.sources and _leads(row, state):
                found.setdefault((state, str(row.dest)), []).append(row)
    return found


def everywhere_rows(rows: Iterable[DiagramRow], states: Sequence[str]) -> list[DiagramRow]:
    """The rows that stay in each state, where there are several."""
    return [row for row in rows if len(states) > 1 and all(s in row.sources and not _leads(row, s) for s in states)]


def inner_groups(rows: Sequence[DiagramRow], *, folded: bool) -> list[Group]:
    """What stands in the box of a state; folded: a group for each thing that becomes of an input."""
    if not folded:
        return [Group((row.index,), "", (stays_text(row),)) for row in rows]
    kinds = [kind for kind in _WORD if any(_handling(row) == kind for row in rows)]
    return [_fold([row for row in rows if _handling(row) == kind], f"{_WORD[kind]}: ") for kind in kinds]


def leading_groups(rows: Sequence[DiagramRow], *, folded: bool) -> list[Group]:
    """What stands at an arrow; a row that is alone there keeps its guards."""
    if not folded or len(rows) == 1:
        return [Group((row.index,), "", (row_text(row),)) for row in rows]
    return [_fold(rows, "")]


def focused(rows: Iterable[DiagramRow], states: Sequence[str]) -> list[tuple[DiagramRow, tuple[str, ...]]]:
    """The rows that begin or end in one of these states, and from which states each of them is of interest."""
    found = []
    for row in rows:
        sources = tuple(state for state in row.sources if state in states or (row.dest in states and state != row.dest))
        if sources:
            found.append((row, sources))
    return found


def _fold(rows: Sequence[DiagramRow], head: str) -> Group:
    items: dict[str, bool] = {}
    for row in rows:
        items[row.trigger] = items.get(row.trigger, False) or bool(row.conditions or row.unless)
    texts = tuple(f"{trigger} {FOLDED}" if guarded else trigger for trigger, guarded in items.items())
    return Group(tuple(row.index for row in rows), head, texts)


def _handling(row: DiagramRow) -> str:
    if row.handling != "taken":
        return row.handling
    return "stays" if row.dest is None else "again"


def _leads(row: DiagramRow, state: str) -> bool:
    return row.dest not in (None, "=", state)
