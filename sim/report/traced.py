"""A run as text: a table of its steps by time, process and event, then what came of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from sim.base.durations import show_duration
from sim.base.errors import listing
from sim.base.folded import folded
from sim.base.marked import Meaning, Part, marked
from sim.report.outcome import JudgedRun
from sim.report.text import heading_lines, summary
from sim.world.slowdown import Slowdown
from sim.world.story import Happening, Story, who_and_what

CLOCK_WIDTH = 9
WHO_WIDTH_MAX = 24
"""Characters of the column of processes; a longer name moves its event to the right."""
FAILURES = ("violated: ", "unhandled: ", "exception: ")
"""How it is told that a machine has failed."""
WORD_WIDTH = 12
"""Characters of the word with which a line of a summary begins."""


def run_lines(outcome: JudgedRun, width: int | None = None) -> Iterator[str]:
    """A run: its trace, what was emitted and rejected, its properties, digest and replay command; lines of at most
    `width` characters, if that is given. What is to be copied is one line."""
    for line in heading_lines(outcome):
        yield from folded(line, width, 2)
    yield ""
    yield from trace_lines(outcome.story, width)
    yield ""
    for line in summary(outcome):
        yield from [line] if line.startswith(("digest", "replay")) else folded(line, width, WORD_WIDTH)


def trace_lines(story: Story, width: int | None = None) -> Iterator[str]:
    """The steps of a run: virtual time or number, the process at which it happens, and what that is; below, what
    changed, and what was emitted."""
    names = [*(one.actor for one in story.began), *(event.said[0] for event in story.events[1:])]
    if not names:
        return
    column = min(WHO_WIDTH_MAX, max(len("process"), *map(len, names)))
    table = _Table(column, width)
    on_clock = any(event.time_ms is not None for event in story.events)
    yield from table.row("time" if on_clock else "step", ("process", None), [("event", None)], heading=True)
    for one in story.began:
        said = [*one.before, *([f"sends {listing(one.sent, 'and')}"] if one.sent else [])]
        yield from table.row("start", (one.actor, Meaning.WHO), [("; ".join(said), None)])
        yield from table.below(_emitted(one.emitted))
    slow = deque(story.slowdowns)
    for event in story.events[1:]:
        while slow and slow[0].step < event.number:
            yield from table.slow(slow.popleft())
        clock = f"{event.number}." if event.time_ms is None else show_duration(event.time_ms)
        who, what = event.said
        yield from table.row(clock, (who, Meaning.WHO), [(what, Meaning.ODD if event.faults else None)])
        yield from table.below([*_noted(event, who), *_emitted(event.emitted)])
    for one_slow in slow:
        yield from table.slow(one_slow)


class _Table:
    """The three columns, and lines below the last one."""

    def __init__(self, column: int, width: int | None) -> None:
        self._column, self._width = column, width
        self._indent = CLOCK_WIDTH + 2 + column + 2

    def row(self, clock: str, who: Part, what: list[Part], *, heading: bool = False) -> Iterator[str]:
        name, meaning = who
        gap = " " * (self._column - len(name)) + "  "
        parts: list[Part] = [(f"{clock:>{CLOCK_WIDTH}}", Meaning.ASIDE), ("  ", None), who, (gap, None), *what]
        if heading:
            parts = [("".join(text for text, _ in parts), Meaning.ASIDE)]
        elif not what[0][0]:
            parts = [*parts[:2], (name, meaning)]
        yield from folded(marked(*parts), self._width, self._indent + 4)

    def below(self, lines: list[Part]) -> Iterator[str]:
        for text, meaning in lines:
            yield from folded(marked(" " * (self._indent + 2), (text, meaning)), self._width, self._indent + 4)

    def slow(self, slow: Slowdown) -> Iterator[str]:
        """What was held up. It is not a step: nobody takes it."""
        who, what = who_and_what(slow.text)
        yield from self.row(show_duration(slow.time_ms), (who, Meaning.WHO), [(what, Meaning.ODD)])


def _noted(event: Happening, who: str) -> Iterator[Part]:
    """What changed; the name of the process that is in its column is not said again."""
    for note in event.notes:
        own = note.removeprefix(f"{who}: ").removeprefix(f"{who} ") if who else note
        is_bad = note.partition(": ")[2].startswith(FAILURES)
        yield own, Meaning.BAD if is_bad else None


def _emitted(texts: tuple[str, ...]) -> list[Part]:
    return [(f"* {text}", Meaning.ODD if text.startswith("Rejected(") else Meaning.ASIDE) for text in texts]
