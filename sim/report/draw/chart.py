"""What is drawn of a machine: a box for each state, with the rows that stay in it, and an arrow for each
pair of states, with the rows that lead from one to the other."""

from __future__ import annotations

from dataclasses import dataclass

from sim.machine.process import StateMachine
from sim.machine.table import IGNORE, Dest, Row, trigger_name
from sim.report.draw.layout import Point, lay_out
from sim.system.system import System

CHAR_WIDTH = 7.0
"""Pixels of a character of the monospaced face at 11.5 pixels."""
LINE_HEIGHT = 17
TITLE_HEIGHT = 27
PADDING = 10


@dataclass(frozen=True)
class Line:
    """A row of the table as a label: its number in the table, and its words."""

    row: int
    text: str


@dataclass(frozen=True)
class Box:
    """A state; `x`, `y` is the left upper corner."""

    state: str
    x: float
    y: float
    width: float
    height: float
    initial: bool
    hot: bool
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Arrow:
    """The rows from one state to another; `way` is to be drawn smoothly, the label stands around `x`, `y`."""

    source: str
    dest: str
    way: tuple[Point, ...]
    x: float
    y: float
    width: float
    height: float
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Sketch:
    """The drawing of one class, and the machines of the system that are of it."""

    cls: str
    names: tuple[str, ...]
    monitor: bool
    width: float
    height: float
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    rows: tuple[Row, ...]
    states: tuple[str, ...]
    initial: str
    hot: frozenset[str]


def sketches(system: System) -> list[Sketch]:
    """A drawing for each class of process and monitor in `system`, in declared order."""
    classes: dict[type[StateMachine], list[str]] = {}
    for name, machine in (*system.processes.items(), *system.monitors.items()):
        classes.setdefault(type(machine), []).append(name)
    return [_sketch(cls, tuple(names), names[0] in system.monitors) for cls, names in classes.items()]


def row_text(row: Row) -> str:
    """Trigger and guards of a row: `patience [may_repeat]`."""
    guards = [*row.conditions, *(f"not {name}" for name in row.unless)]
    return trigger_name(row.trigger) + (f" [{', '.join(guards)}]" if guards else "")


def stays_text(row: Row) -> str:
    """The same of a row that stays where it is, with what it does there."""
    if isinstance(row.dest, Dest):
        return f"{row_text(row)}: {'ignored' if row.dest is IGNORE else 'deferred'}"
    return f"{row_text(row)}: stays" if row.dest is None else f"{row_text(row)}: again"


def inner_rows(rows: tuple[Row, ...], state: str) -> list[Row]:
    """The rows that stay in `state`."""
    return [row for row in rows if state in row.sources and not _leads(row, state)]


def leading_rows(rows: tuple[Row, ...], states: tuple[str, ...]) -> dict[tuple[str, str], list[Row]]:
    """The rows that lead from one state to another, by both, in the order of the states."""
    found: dict[tuple[str, str], list[Row]] = {}
    for state in states:
        for row in rows:
            if state in row.sources and _leads(row, state):
                found.setdefault((state, str(row.dest)), []).append(row)
    return found


def _leads(row: Row, state: str) -> bool:
    return isinstance(row.dest, str) and row.dest not in ("=", state)


def _sketch(cls: type[StateMachine], names: tuple[str, ...], monitor: bool) -> Sketch:
    table = cls.table
    states = (table.initial, *(state for state in table.states if state != table.initial))
    inner = {s: tuple(Line(row.index, stays_text(row)) for row in inner_rows(table.rows, s)) for s in states}
    leading = leading_rows(table.rows, states)
    labels = [tuple(Line(row.index, row_text(row)) for row in rows) for rows in leading.values()]
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
            state == table.initial,
            state in table.hot,
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
        cls.__name__,
        names,
        monitor,
        laid.width,
        laid.height,
        boxes,
        arrows,
        table.rows,
        states,
        table.initial,
        table.hot,
    )


def _size(lines: tuple[Line, ...]) -> tuple[float, float]:
    widest = max((len(line.text) for line in lines), default=0)
    return (widest + 3) * CHAR_WIDTH + 8, len(lines) * LINE_HEIGHT + 4


def _box_size(state: str, lines: tuple[Line, ...]) -> tuple[float, float]:
    width, height = _size(lines)
    title = (len(state) + 7) * CHAR_WIDTH * 1.15
    return max(width, title) + 2 * PADDING, TITLE_HEIGHT + (height + 6 if lines else 0)
