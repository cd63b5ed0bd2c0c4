"""Machines as a Mermaid state diagram: https://mermaid.js.org/syntax/stateDiagram.html"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sim.base.printing import printable
from sim.report.draw.chart import Sketch, inner_rows, leading_rows, row_text, stays_text

_PLAIN = {"#": "#35;", ";": "#59;", ":": "#58;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "{": "#123;", "}": "#125;"}


def plain(text: str) -> str:
    """A text without special characters of Mermaid, or of a page that shows it."""
    return "".join(_PLAIN.get(char, char) for char in printable(" ".join(text.split())))


def mermaid(sketches: Sequence[Sketch]) -> str:
    """One diagram with a composite state for each class."""
    return "\n".join(["stateDiagram-v2", *(line for n, sketch in enumerate(sketches) for line in _machine(sketch, n))])


def _machine(sketch: Sketch, number: int) -> Iterator[str]:
    what = " (monitor)" if sketch.monitor else ""
    ids = {state: f"m{number}s{i}" for i, state in enumerate(sketch.states)}
    yield f'    state "{plain(", ".join(sketch.names) + what)}" as m{number} {{'
    for state, key in ids.items():
        yield f'        state "{plain(state)}{" (hot)" if state in sketch.hot else ""}" as {key}'
        for row in inner_rows(sketch.rows, state):
            yield f"        {key} : {plain(stays_text(row))}"
    yield f"        [*] --> {ids[sketch.initial]}"
    for (source, dest), rows in leading_rows(sketch.rows, sketch.states).items():
        for row in rows:
            yield f"        {ids[source]} --> {ids[dest]} : {plain(row_text(row))}"
    yield "    }"
