"""Lines that are too long for a terminal, folded at a space or after a comma, under where their text begins."""

from __future__ import annotations

from collections.abc import Iterator

from sim.base.marked import marked, within

WIDTH_MIN = 20
"""Characters that a text is given at least, whatever is left of the line."""
LINES_MAX = 12
"""Lines of a folded text; where it is longer, the middle is left out."""


def folded(line: str, width: int | None, indent: int = 0) -> Iterator[str]:
    """The line, in lines of at most this many characters, of which all but the first begin under `indent`."""
    if width is None or len(line) <= width:
        yield line
        return
    cuts = _cuts(line, max(width, indent + WIDTH_MIN), indent)
    left_out = len(cuts) - LINES_MAX
    for number, (start, end) in enumerate(cuts):
        if left_out > 0 and number == LINES_MAX - 2:
            characters = cuts[number + left_out][1] - start
            yield f"{' ' * indent}[... {characters:,} characters; a pipe has them all]"
        elif not (left_out > 0 and LINES_MAX - 2 < number <= LINES_MAX - 2 + left_out):
            yield marked(" " * (indent if number else 0), *within(line, start, end))


def _cuts(line: str, width: int, indent: int) -> list[tuple[int, int]]:
    """Where the pieces of a line begin and end."""
    found, start, room, first = [], 0, width, indent
    while len(line) - start > room:
        end = _last_gap(line, start + first, start + room)
        found.append((start, end))
        start = end + (len(line) - end - len(line[end:].lstrip(" ")))
        room, first = width - indent, 0
    if start < len(line):
        found.append((start, len(line)))
    return found


def _last_gap(line: str, start: int, end: int) -> int:
    """The last place at which a line may end: at a space, else after a comma, unless it would be nearly empty."""
    least = start + (end - start) // 4
    space = line.rfind(" ", least, end + 1)
    if space > start:
        return space
    comma = line.rfind(",", least, end)
    return comma + 1 if comma > start else end
