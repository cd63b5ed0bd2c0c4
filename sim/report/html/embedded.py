"""The data of a page: a run in small integers, and each text once.

`page.js` and its like are the other half of this format; neither is of use without the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sim.base.printing import printable
from sim.conform.conformance import JudgedLog
from sim.report.draw import Sketch, sketches
from sim.report.draw.chart import ChartLine
from sim.report.draw.grouping import row_text, stays_text
from sim.report.draw.svg import smooth
from sim.report.html.log_lane import log_data
from sim.report.metrics import status_lines
from sim.report.outcome import JudgedRun
from sim.report.text import heading_lines, summary
from sim.world.diagram import DiagramRow
from sim.world.story import Fate, Happening, Journey, Look, Story

FATES = tuple(Fate)


def page_data(
    outcome: JudgedRun, log: JudgedLog | None = None, more: Callable[[Writer], dict[str, Any]] | None = None
) -> dict[str, Any]:
    """All that a page shows; `log` is the log that the run explains. `more` stands beside it, or in the place of what it has,
    in the page's numbers."""
    story = outcome.story
    writer = Writer(story)
    steps = [writer.step(event) for event in story.events]
    finding = outcome.run.finding
    parting = None if log is None else log_data(log)
    added = {} if more is None else more(writer)
    head, how = heading_lines(outcome)
    return {
        **_printable(
            {
                "title": head,
                "how": how,
                "replay": outcome.replay,
                "verdict": outcome.run.verdict,
                "expected": outcome.as_expected,
                "finding": None if finding is None else [finding.property, finding.message],
                "log": parting,
                "facts": [[line[:12].strip(), line[12:]] for line in summary(outcome)],
                "metrics": [] if outcome.metrics is None else list(status_lines(outcome.metrics)),
                "network": story.network,
                "machines": [
                    [actor.name, int(actor.listens), -1 if actor.diagram is None else actor.diagram, writer.look(look)]
                    for actor, look in zip(story.actors, story.first, strict=True)
                ],
                "sketches": [_sketch(sketch) for sketch in sketches(story.diagrams)],
            }
        ),
        "steps": steps,
        "round": outcome.run.round if finding is not None else 0,
        "journeys": [writer.journey(journey) for journey in story.journeys],
        "fates": [fate.value for fate in FATES],
        "locals": writer.looks,
        "slow": [[slow.step, printable(slow.text)] for slow in story.slowdowns],
        **added,
        "texts": writer.texts,
    }


def _printable(data: Any) -> Any:
    """The same data, with texts as they may be shown."""
    if isinstance(data, str):
        return printable(data)
    if isinstance(data, dict):
        return {key: _printable(value) for key, value in data.items()}
    return [_printable(value) for value in data] if isinstance(data, list | tuple) else data


class Writer:
    """Gives each text and each look of a page its number."""

    def __init__(self, story: Story) -> None:
        self._looks = story.looks
        self._texts: dict[str, int] = {}
        self.looks: list[list[Any]] = []
        self._numbers: dict[Look, int] = {}
        self._index = {name: i for i, name in enumerate(story.names)}

    def text(self, text: str) -> int:
        """The number of a text."""
        return self._texts.setdefault(printable(text), len(self._texts))

    @property
    def texts(self) -> list[str]:
        return list(self._texts)

    def step(self, event: Happening) -> list[Any]:
        """Time, kind, process (-1: none), text, journey (-1: none), sent, faults, changed, notes, emitted,
        rejected, rows."""
        return [
            event.time_ms,
            self.text(event.kind),
            self._index.get(event.process, -1),
            self.text(event.text),
            -1 if event.journey is None else event.journey,
            event.sent,
            [self.text(kind) for kind in event.faults],
            [number for actor, look in event.changed for number in (actor, self.look(look))],
            [self.text(text) for text in event.notes],
            [self.text(text) for text in event.emitted],
            [self.text(text) for text in event.rejected],
            [number for pair in event.rows for number in pair],
        ]

    def journey(self, journey: Journey) -> list[Any]:
        """Source, target, name, text, sent, ended (-1: not at all), fate, copied."""
        return [
            self._index[journey.source],
            self._index[journey.target],
            self.text(journey.name),
            self.text(journey.text),
            journey.sent,
            -1 if journey.ended is None else journey.ended,
            FATES.index(journey.fate),
            int(journey.copied),
        ]

    def look(self, look: int) -> int:
        """The number, in the page, of a look of the story."""
        return self.look_number(self._looks[look])

    def look_number(self, seen: Look) -> int:
        """The number of a look: state, whether hot, whether up, timers, names and values of fields."""
        number = self._numbers.get(seen)
        if number is None:
            number = self._numbers[seen] = len(self.looks)
            fields = [self.text(text) for pair in _fields(seen) for text in pair]
            timers = [self.text(timer) for timer in seen.timers]
            self.looks.append([self.text(seen.state), int(seen.hot), int(seen.up), timers, fields])
        return number


def _fields(look: Look) -> Iterator[tuple[str, str]]:
    """Names and values of fields; a record is spelt out, so that it is seen what changed in it."""
    for field in look.fields:
        if field.parts is None:
            yield field.name, field.text
        else:
            yield from ((f"{field.name}.{part}", text) for part, text in field.parts)


def _sketch(sketch: Sketch) -> dict[str, Any]:
    return {
        "name": sketch.cls,
        "width": round(sketch.width),
        "height": round(sketch.height),
        "boxes": [
            [
                b.state,
                round(b.x),
                round(b.y),
                round(b.width),
                round(b.height),
                int(b.initial),
                int(b.hot),
                _lines(b.lines),
            ]
            for b in sketch.boxes
        ],
        "arrows": [
            [a.source, a.dest, smooth(a.way), round(a.x), round(a.y), round(a.width), round(a.height), _lines(a.lines)]
            for a in sketch.arrows
        ],
        "rows": [list(_row(row)) for row in sketch.rows],
    }


def _lines(lines: tuple[ChartLine, ...]) -> list[Any]:
    return [item for line in lines for item in (line.rows, line.text)]


def _row(row: DiagramRow) -> Iterator[Any]:
    """Number, trigger and guards, sources, where it leads."""
    yield row.index
    yield row_text(row)
    yield list(row.sources)
    yield row.dest if row.dest not in (None, "=") else stays_text(row).rpartition(": ")[2]
