"""A list to pick from, as it is shown: which rows fit a filter, which of them are in sight, which columns there is room
for.

It knows no terminal: `sim.sessions.picker` gives it keys, and shows its lines.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

GAP = 2
MARK = "> "
"""In front of the row that Enter takes; the others have as many spaces."""


class PickList:
    """Rows of cells under a head. `spare` are the columns that a narrow terminal leaves out, the first of them first;
    before them it leaves out those that say the same of every row. What is left out is still filtered by."""

    def __init__(self, head: Sequence[str], rows: Sequence[Sequence[str]], spare: Sequence[str] = ()) -> None:
        self.head, self._rows = tuple(head), [tuple(row) for row in rows]
        self._texts = [" ".join(row).casefold() for row in self._rows]
        same = [name for at, name in enumerate(self.head) if len({row[at] for row in self._rows}) == 1]
        known = [name for name in dict.fromkeys(spare) if name in self.head]
        self._spare = sorted(known, key=lambda name: name not in same)
        self._widths = [max(len(row[at]) for row in (self.head, *self._rows)) for at in range(len(self.head))]
        self.words = ""
        """What was typed: a row is shown if it has all of these words, in upper or lower case."""
        self._shown = [*range(len(self._rows))]
        self.at = 0
        """Which of the shown rows Enter takes."""
        self._top = 0

    @property
    def shown(self) -> list[int]:
        """The rows that the filter lets through, by their number."""
        return self._shown

    @property
    def picked(self) -> int | None:
        """The number of the row that Enter takes; None if no row is shown: then it takes nothing."""
        shown = self.shown
        return shown[self.at] if shown else None

    def filter(self, words: str) -> None:
        """Show what has these words; the row that was picked stays so if it is among them."""
        before = self.picked
        self.words, parts = words, words.casefold().split()
        self._shown = [number for number, text in enumerate(self._texts) if all(part in text for part in parts)]
        self.at = self._shown.index(before) if before in self._shown else 0

    def move(self, by: int) -> None:
        """So many rows down, or up; no further than to the end."""
        self.at = max(0, min(len(self.shown) - 1, self.at + by))

    def lines(self, columns: int, height: int) -> list[tuple[str, bool]]:
        """The head, then as many rows as there is room for, with the picked one among them, and how many more there are
        above and below; each with whether it is the picked one."""
        shown = self.shown
        if not shown:
            return [
                (self._laid(self.head, self._kept(columns), columns), False),
                (f"  no session has {self.words!r}", False),
            ]
        room = max(1, height - 3)  # the head, and what is above and below
        self._top = max(0, min(self._top, self.at, len(shown) - room))
        self._top = max(self._top, self.at - room + 1)
        above, below = self._top, max(0, len(shown) - self._top - room)
        kept = self._kept(columns)
        found = [(self._laid(self.head, kept, columns), False)]
        if len(shown) > room:
            found.append((f"  {above} more above" if above else "", False))
        for place in range(self._top, min(len(shown), self._top + room)):
            picked = place == self.at
            found.append((self._laid(self._rows[shown[place]], kept, columns, mark=picked), picked))
        if len(shown) > room:
            found.append((f"  {below} more below" if below else "", False))
        return found

    def _kept(self, columns: int) -> list[int]:
        """The columns for which there is room."""
        kept, widths = [*range(len(self.head))], self._widths
        for name in self._spare:
            if len(MARK) + sum(widths[at] for at in kept) + GAP * (len(kept) - 1) <= columns:
                break
            kept.remove(self.head.index(name))
        return kept

    def _laid(self, row: Sequence[str], kept: Collection[int], columns: int, *, mark: bool = False) -> str:
        text = (" " * GAP).join(row[at].ljust(self._widths[at]) for at in kept)
        line = f"{MARK if mark else ' ' * len(MARK)}{text}".rstrip()
        return line if len(line) <= columns else f"{line[: columns - 1]}…"
