"""Machines as one SVG file, in the viewer's colour scheme."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from html import escape

from sim.base.printing import printable
from sim.report.draw.chart import LINE_HEIGHT, PADDING, TITLE_HEIGHT, Arrow, Box, ChartLine, Sketch
from sim.report.draw.layout import Point

MARGIN = 24
HEADING = 34

_STYLE = """
svg { background: #fff; color: #1b1f24; font: 11.5px ui-monospace, Menlo, Consolas, monospace }
.box { fill: #f5f7fa; stroke: #57606a } .hot { stroke-width: 2.5 } .name { font-weight: 700; font-size: 13px }
.line { fill: none; stroke: #57606a; stroke-width: 1.3 } .back { fill: #fff } text { fill: currentColor }
.heading { font-weight: 700; font-size: 15px } .tip { fill: #57606a }
@media (prefers-color-scheme: dark) {
  svg { background: #0f1419; color: #e6e9ed } .box { fill: #1a212a; stroke: #8b96a3 }
  .line { stroke: #8b96a3 } .tip { fill: #8b96a3 } .back { fill: #0f1419 }
}
"""


def svg(sketches: Sequence[Sketch]) -> str:
    """All drawings, one below the other."""
    width = max((sketch.width for sketch in sketches), default=0.0) + 2 * MARGIN
    parts: list[str] = []
    top = 0.0
    for sketch in sketches:
        parts += [f'<g transform="translate({MARGIN},{top + MARGIN:g})">', *_sketch(sketch), "</g>"]
        top += HEADING + sketch.height + 2 * MARGIN
    size = f'width="{width:g}" height="{top:g}" viewBox="0 0 {width:g} {top:g}"'
    tip = '<path class="tip" d="M0,0 L9,4 L0,8 z"/>'
    marker = f'<marker id="tip" markerWidth="9" markerHeight="8" refX="8" refY="4" orient="auto">{tip}</marker>'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size}><style>{_STYLE}</style><defs>{marker}</defs>'
    return "\n".join([head, *parts, "</svg>"])


def smooth(way: Sequence[Point]) -> str:
    """The path data of a way, smooth and upright at every point."""
    found = [f"M{way[0][0]:.1f},{way[0][1]:.1f}"]
    for (ax, ay), (bx, by) in itertools.pairwise(way):
        middle = (ay + by) / 2
        found.append(f"C{ax:.1f},{middle:.1f} {bx:.1f},{middle:.1f} {bx:.1f},{by:.1f}")
    return " ".join(found)


def _sketch(sketch: Sketch) -> Iterator[str]:
    what = f"{', '.join(sketch.names)}: {'monitor ' if sketch.monitor else ''}{sketch.cls}"
    yield f'<text class="heading" y="14">{_text(what)}</text><g transform="translate(0,{HEADING})">'
    for arrow in sketch.arrows:
        yield f'<path class="line" marker-end="url(#tip)" d="{smooth(arrow.way)}"/>'
    for arrow in sketch.arrows:
        yield from _label(arrow)
    for box in sketch.boxes:
        yield from _box(box)
    yield "</g>"


def _label(arrow: Arrow) -> Iterator[str]:
    left, top = arrow.x - arrow.width / 2, arrow.y - arrow.height / 2
    yield f'<rect class="back" x="{left:.1f}" y="{top:.1f}" width="{arrow.width:.1f}" height="{arrow.height:.1f}"/>'
    yield from _lines(arrow.lines, arrow.x, top + 2, "middle")


def _box(box: Box) -> Iterator[str]:
    kind = "box hot" if box.hot else "box"
    place = f'x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}"'
    yield f'<rect class="{kind}" rx="6" {place}/>'
    name = ("● " if box.initial else "") + box.state + (" (hot)" if box.hot else "")
    yield f'<text class="name" x="{box.x + PADDING:.1f}" y="{box.y + 18:.1f}">{_text(name)}</text>'
    yield from _lines(box.lines, box.x + PADDING, box.y + TITLE_HEIGHT, "start")


def _lines(lines: Sequence[ChartLine], x: float, top: float, anchor: str) -> Iterator[str]:
    for number, line in enumerate(lines):
        y = top + number * LINE_HEIGHT + 12
        yield f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{_text(line.text)}</text>'


def _text(text: str) -> str:
    """XML cannot even spell most control characters."""
    return escape(printable(text))
