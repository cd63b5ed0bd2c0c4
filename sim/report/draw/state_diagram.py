"""Machines as a Mermaid state diagram: https://mermaid.js.org/syntax/stateDiagram.html"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sim.base.printing import printable
from sim.report.draw.chart import Sketch

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
    if sketch.common:
        yield f'        state "in every state" as m{number}all'
        yield from (f"        m{number}all : {plain(line.text)}" for line in sketch.common)
    for state, key in ids.items():
        yield f'        state "{plain(state)}{" (hot)" if state in sketch.hot else ""}" as {key}'
        for group in sketch.inner[state]:
            yield f"        {key} : {plain(group.text)}"
    if sketch.initial is not None:
        yield f"        [*] --> {ids[sketch.initial]}"
    for (source, dest), groups in sketch.leading.items():
        for group in groups:
            yield f"        {ids[source]} --> {ids[dest]} : {plain(group.text)}"
    yield "    }"
