"""The drawing of a machine: a box for each state, with the rows that stay in it, and an arrow for each pair of states,
with the rows that lead from one to the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sim.report.draw.grouping import (
    Group,
    everywhere_rows,
    focused,
    inner_groups,
    inner_rows,
    leading_groups,
    leading_rows,
)
from sim.report.draw.layout import Point, lay_out
from sim.world.diagram import Diagram, DiagramRow

CHAR_WIDTH = 7.0
"""Width in pixels of a character of the monospaced font at 11.5 pixels."""
LINE_HEIGHT = 17
TITLE_HEIGHT = 27
PADDING = 10
BOX_CHARS, ARROW_CHARS, COMMON_CHARS = 44, 30, 100
"""How wide what is written in a box, at an arrow, or of every state may be before it goes on in the next line."""


@dataclass(frozen=True)
class ChartLine:
    """A line of a label: the rows of the table that it is about, by their numbers, and its words."""

    rows: tuple[int, ...]
    text: str


@dataclass(frozen=True)
class Box:
    """A state; `x`, `y` is the upper left corner."""

    state: str
    x: float
    y: float
    width: float
    height: float
    initial: bool
    hot: bool
    lines: tuple[ChartLine, ...]


@dataclass(frozen=True)
class Arrow:
    """The rows from one state to another; `way` is to be drawn smoothly, the label is centred on `x`, `y`."""

    source: str
    dest: str
    way: tuple[Point, ...]
    x: float
    y: float
    width: float
    height: float
    lines: tuple[ChartLine, ...]


@dataclass(frozen=True)
class Sketch:
    """The drawing of one class, and the machines of the system that belong to it."""

    cls: str
    names: tuple[str, ...]
    monitor: bool
    width: float
    height: float
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    rows: tuple[DiagramRow, ...]
    states: tuple[str, ...]
    initial: str | None
    """None where it is not drawn."""
    hot: frozenset[str]
    common: tuple[ChartLine, ...]
    """What holds in every state, where it is written once; above the boxes."""
    inner: dict[str, list[Group]]
    """What stands in the box of each state."""
    leading: dict[tuple[str, str], list[Group]]
    """What stands at the arrow between two states."""

    @property
    def groups(self) -> list[Group]:
        """All that is written in it."""
        return [group for groups in (*self.inner.values(), *self.leading.values()) for group in groups]


def sketches(diagrams: Sequence[Diagram], *, folded: bool = False, states: Sequence[str] = ()) -> list[Sketch]:
    """A drawing of each diagram: of all rows, one a line, or `folded`; of these `states` and their neighbours alone, if
    any are given, in the diagrams that have one of them."""
    of = [_focus(diagram, states) for diagram in diagrams if not states or {*states} & {*diagram.states}]
    return [_sketch(diagram, initial, folded=folded) for diagram, initial in of]


def _focus(diagram: Diagram, states: Sequence[str]) -> tuple[Diagram, str | None]:
    """What is to be drawn of a diagram, and its initial state if that is."""
    initial = diagram.states[0]
    if not states:
        return diagram, initial
    rows = tuple(replace(row, sources=sources) for row, sources in focused(diagram.rows, states))
    met = {*states, *(state for row in rows for state in (*row.sources, row.dest))}
    kept = tuple(state for state in diagram.states if state in met)
    return replace(diagram, states=kept, rows=rows), initial if initial in kept else None


def _sketch(diagram: Diagram, initial: str | None, *, folded: bool) -> Sketch:
    states, rows = diagram.states, diagram.rows
    everywhere = everywhere_rows(rows, states) if folded else []
    common = inner_groups(everywhere, folded=folded)
    inner = {
        state: inner_groups([row for row in inner_rows(rows, state) if row not in everywhere], folded=folded)
        for state in states
    }
    leading = {pair: leading_groups(found, folded=folded) for pair, found in leading_rows(rows, states).items()}
    written = {state: _written(groups, BOX_CHARS, folded=folded) for state, groups in inner.items()}
    labels = [_written(groups, ARROW_CHARS, folded=folded) for groups in leading.values()]
    sizes = [_box_size(state, written[state]) for state in states]
    tags = [_size(lines) for lines in labels]
    number = {state: i for i, state in enumerate(states)}
    laid = lay_out(sizes, [(number[a], number[b]) for a, b in leading], tags)
    boxes = tuple(
        Box(
            state,
            x - width / 2,
            y - height / 2,
            width,
            height,
            state == initial,
            state in diagram.hot,
            written[state],
        )
        for state, (x, y), (width, height) in zip(states, laid.nodes, sizes, strict=True)
    )
    arrows = tuple(
        Arrow(a, b, way, x, y, width, height, lines)
        for (a, b), way, (x, y), (width, height), lines in zip(
            leading, laid.ways, laid.labels, tags, labels, strict=True
        )
    )
    return Sketch(
        diagram.name,
        diagram.actors,
        diagram.listens,
        laid.width,
        laid.height,
        boxes,
        arrows,
        rows,
        states,
        initial,
        diagram.hot,
        _written(common, COMMON_CHARS, folded=folded),
        inner,
        leading,
    )


def _written(groups: Sequence[Group], width: int, *, folded: bool) -> tuple[ChartLine, ...]:
    """The lines of these groups; what is not folded is not broken either."""
    return tuple(
        ChartLine(group.rows, text) for group in groups for text in (group.lines(width) if folded else [group.text])
    )


def _size(lines: tuple[ChartLine, ...]) -> tuple[float, float]:
    widest = max((len(line.text) for line in lines), default=0)
    return (widest + 3) * CHAR_WIDTH + 8, len(lines) * LINE_HEIGHT + 4


def _box_size(state: str, lines: tuple[ChartLine, ...]) -> tuple[float, float]:
    width, height = _size(lines)
    title = (len(state) + 7) * CHAR_WIDTH * 1.15
    return max(width, title) + 2 * PADDING, TITLE_HEIGHT + (height + 6 if lines else 0)
