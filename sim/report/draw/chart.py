"""The drawing of a machine: a box for each state, with the rows that stay in it, and an arrow for each pair of states,
with the rows that lead from one to the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sim.report.draw.layout import Point, lay_out
from sim.world.diagram import Diagram, DiagramRow

CHAR_WIDTH = 7.0
"""Width in pixels of a character of the monospaced font at 11.5 pixels."""
LINE_HEIGHT = 17
TITLE_HEIGHT = 27
PADDING = 10


@dataclass(frozen=True)
class ChartLine:
    """A row of the table as a label: its number in the table, and its words."""

    row: int
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
    initial: str
    hot: frozenset[str]


def sketches(diagrams: Sequence[Diagram]) -> list[Sketch]:
    """A drawing of each diagram."""
    return list(map(_sketch, diagrams))


def row_text(row: DiagramRow) -> str:
    """Trigger and guards of a row: `patience [may_repeat]`."""
    guards = [*row.conditions, *(f"not {name}" for name in row.unless)]
    return row.trigger + (f" [{', '.join(guards)}]" if guards else "")


def stays_text(row: DiagramRow) -> str:
    """The same for a row that stays in its state, with what it does there."""
    if row.handling != "taken":
        return f"{row_text(row)}: {row.handling}"
    return f"{row_text(row)}: stays" if row.dest is None else f"{row_text(row)}: again"


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


def _leads(row: DiagramRow, state: str) -> bool:
    return row.dest not in (None, "=", state)


def _sketch(diagram: Diagram) -> Sketch:
    states, rows = diagram.states, diagram.rows
    inner = {s: tuple(ChartLine(row.index, stays_text(row)) for row in inner_rows(rows, s)) for s in states}
    leading = leading_rows(rows, states)
    labels = [tuple(ChartLine(row.index, row_text(row)) for row in found) for found in leading.values()]
    sizes = [_box_size(state, inner[state]) for state in states]
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
            state == states[0],
            state in diagram.hot,
            inner[state],
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
        states[0],
        diagram.hot,
    )


def _size(lines: tuple[ChartLine, ...]) -> tuple[float, float]:
    widest = max((len(line.text) for line in lines), default=0)
    return (widest + 3) * CHAR_WIDTH + 8, len(lines) * LINE_HEIGHT + 4


def _box_size(state: str, lines: tuple[ChartLine, ...]) -> tuple[float, float]:
    width, height = _size(lines)
    title = (len(state) + 7) * CHAR_WIDTH * 1.15
    return max(width, title) + 2 * PADDING, TITLE_HEIGHT + (height + 6 if lines else 0)
