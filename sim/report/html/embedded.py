"""The data of a page: a run in small integers, and each text once.

`page.js` and its like are the other half of this format; neither is of use without the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sim.base.values import Value, is_record, show, shown_fields
from sim.graph.graph import Graph
from sim.machine.table import Row
from sim.report.draw import Sketch, sketches
from sim.report.draw.chart import Line, row_text, stays_text
from sim.report.draw.svg import smooth
from sim.report.metrics import status_lines
from sim.report.outcome import JudgedRun
from sim.report.story import Fate, Happening, Journey, Story, tell
from sim.report.text import heading_lines, summary

FATES = tuple(Fate)


def page_data(outcome: JudgedRun) -> dict[str, Any]:
    """All that a page shows."""
    story = tell(outcome.run)
    writer = _Writer(story)
    drawn = sketches(story.graph.system)
    steps = [writer.step(event) for event in story.events]
    finding = outcome.run.finding
    head, how = heading_lines(outcome)
    return {
        "title": head,
        "how": how,
        "replay": outcome.replay,
        "verdict": outcome.run.verdict,
        "expected": outcome.as_expected,
        "finding": None if finding is None else [finding.property, finding.message],
        "facts": [[line[:12].strip(), line[12:]] for line in summary(outcome)],
        "metrics": [] if outcome.metrics is None else list(status_lines(outcome.metrics)),
        "network": story.graph.system.network,
        "machines": [
            [name, int(i >= story.graph.width), _sketch_of(drawn, name), writer.local(i, local)]
            for i, (name, local) in enumerate(zip(story.graph.names, outcome.run.trace.start.state.locals, strict=True))
        ],
        "sketches": [_sketch(sketch) for sketch in drawn],
        "steps": steps,
        "journeys": [writer.journey(journey) for journey in story.journeys],
        "fates": [fate.value for fate in FATES],
        "locals": writer.locals,
        "slow": [[slow.step, slow.text] for slow in outcome.run.trace.slowdowns],
        "texts": writer.texts,
    }


class _Writer:
    def __init__(self, story: Story) -> None:
        self.graph: Graph = story.graph
        self._texts: dict[str, int] = {}
        self.locals: list[list[Any]] = []
        self._numbers: dict[int, int] = {}
        self._index = {name: i for i, name in enumerate(self.graph.names)}

    def text(self, text: str) -> int:
        """The number of a text."""
        return self._texts.setdefault(text, len(self._texts))

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
            [number for machine, local in event.changed for number in (machine, self.local(machine, local))],
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

    def local(self, machine: int, local: int) -> int:
        """The number, in the page, of a local value: state, whether hot, timers, names and values of fields."""
        number = self._numbers.get(local)
        if number is None:
            number = self._numbers[local] = len(self.locals)
            view = self.graph.tables.view(local)
            table = self.graph.tables.handlers[machine].table
            fields = [self.text(text) for pair in _fields(view.fields()) for text in pair]
            timers = [self.text(timer) for timer in view.timers]
            self.locals.append([self.text(view.state), int(view.state in table.hot), int(view.up), timers, fields])
        return number


def _fields(values: Mapping[str, Value]) -> Iterator[tuple[str, str]]:
    """Names and values of fields; a record is spelt out, so that it is seen what changed in it."""
    for name, value in values.items():
        if is_record(value):
            yield from ((f"{name}.{part}", text) for part, text in shown_fields(value).items())
        else:
            yield name, show(value)


def _sketch_of(drawn: list[Sketch], name: str) -> int:
    return next(i for i, sketch in enumerate(drawn) if name in sketch.names)


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


def _lines(lines: tuple[Line, ...]) -> list[Any]:
    return [item for line in lines for item in (line.row, line.text)]


def _row(row: Row) -> Iterator[Any]:
    """Number, trigger and guards, sources, where it leads."""
    yield row.index
    yield row_text(row)
    yield list(row.sources)
    yield row.dest if isinstance(row.dest, str) and row.dest != "=" else stays_text(row).rpartition(": ")[2]
