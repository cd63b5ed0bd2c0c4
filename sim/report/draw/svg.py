"""Machines as one SVG file, in the viewer's colour scheme."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from html import escape

from sim.base.printing import printable
from sim.report.draw.chart import CHAR_WIDTH, LINE_HEIGHT, PADDING, TITLE_HEIGHT, Arrow, Box, ChartLine, Sketch
from sim.report.draw.grouping import FOLDED
from sim.report.draw.layout import Point

MARGIN = 24
HEADING = 34
SHELF = 1_200
"""How wide a row of drawings may be, unless one alone is wider."""

_STYLE = """
svg { background: #fff; color: #1b1f24; font: 11.5px ui-monospace, Menlo, Consolas, monospace }
.box { fill: #f5f7fa; stroke: #57606a } .hot { stroke-width: 2.5 } .name { font-weight: 700; font-size: 13px }
.line { fill: none; stroke: #57606a; stroke-width: 1.3 } .back { fill: #fff } text { fill: currentColor; white-space: pre }
.heading { font-weight: 700; font-size: 15px } .tip, .note { fill: #57606a }
@media (prefers-color-scheme: dark) {
  svg { background: #0f1419; color: #e6e9ed } .box { fill: #1a212a; stroke: #8b96a3 }
  .line { stroke: #8b96a3 } .tip, .note { fill: #8b96a3 } .back { fill: #0f1419 }
}
"""


def svg(sketches: Sequence[Sketch]) -> str:
    """All drawings, side by side where there is room, else below each other."""
    parts: list[str] = []
    left = top = shelf = width = 0.0
    for sketch in sketches:
        words = max(1.3 * len(_title(sketch)), *(len(line.text) for line in sketch.common), 0) * CHAR_WIDTH
        across = max(sketch.width, words) + 2 * MARGIN
        if left and left + across > SHELF:
            left, top, shelf = 0.0, top + shelf, 0.0
        parts += [f'<g transform="translate({left + MARGIN:g},{top + MARGIN:g})">', *_sketch(sketch), "</g>"]
        left += across
        shelf, width = max(shelf, _heading(sketch) + sketch.height + 2 * MARGIN), max(width, left)
    height = top + shelf
    if any(FOLDED in group.text for sketch in sketches for group in sketch.groups):
        parts.append(f'<text class="note" x="{MARGIN}" y="{height:g}">{FOLDED} under guards, which --rows shows</text>')
        height += MARGIN
    return "\n".join([head(width, height, _STYLE), *parts, "</svg>"])


def head(width: float, height: float, style: str) -> str:
    """How a drawing begins."""
    size = f'width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}"'
    tip = '<path class="tip" d="M0,0 L9,4 L0,8 z"/>'
    marker = f'<marker id="tip" markerWidth="9" markerHeight="8" refX="8" refY="4" orient="auto">{tip}</marker>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}><style>{style}</style><defs>{marker}</defs>'


def smooth(way: Sequence[Point]) -> str:
    """The path data of a way, smooth and upright at every point."""
    found = [f"M{way[0][0]:.1f},{way[0][1]:.1f}"]
    for (ax, ay), (bx, by) in itertools.pairwise(way):
        middle = (ay + by) / 2
        found.append(f"C{ax:.1f},{middle:.1f} {bx:.1f},{middle:.1f} {bx:.1f},{by:.1f}")
    return " ".join(found)


def _sketch(sketch: Sketch) -> Iterator[str]:
    yield f'<text class="heading" y="14">{text_of(_title(sketch))}</text>'
    if sketch.common:
        yield f'<text class="note" y="{HEADING}">in every state</text>'
        yield from _lines(sketch.common, 0, HEADING + 4, "start")
    yield f'<g transform="translate(0,{_heading(sketch)})">'
    for arrow in sketch.arrows:
        yield f'<path class="line" marker-end="url(#tip)" d="{smooth(arrow.way)}"/>'
    for arrow in sketch.arrows:
        yield from _label(arrow)
    for box in sketch.boxes:
        yield from _box(box)
    yield "</g>"


def _heading(sketch: Sketch) -> int:
    """How much stands above the boxes, in pixels."""
    return HEADING + (LINE_HEIGHT * len(sketch.common) + HEADING if sketch.common else 0)


def _title(sketch: Sketch) -> str:
    return f"{', '.join(sketch.names)}: {'monitor ' if sketch.monitor else ''}{sketch.cls}"


def _label(arrow: Arrow) -> Iterator[str]:
    left, top = arrow.x - arrow.width / 2, arrow.y - arrow.height / 2
    yield f'<rect class="back" x="{left:.1f}" y="{top:.1f}" width="{arrow.width:.1f}" height="{arrow.height:.1f}"/>'
    yield from _lines(arrow.lines, arrow.x, top + 2, "middle")


def _box(box: Box) -> Iterator[str]:
    kind = "box hot" if box.hot else "box"
    place = f'x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}"'
    yield f'<rect class="{kind}" rx="6" {place}/>'
    name = ("● " if box.initial else "") + box.state + (" (hot)" if box.hot else "")
    yield f'<text class="name" x="{box.x + PADDING:.1f}" y="{box.y + 18:.1f}">{text_of(name)}</text>'
    yield from _lines(box.lines, box.x + PADDING, box.y + TITLE_HEIGHT, "start")


def _lines(lines: Sequence[ChartLine], x: float, top: float, anchor: str) -> Iterator[str]:
    for number, line in enumerate(lines):
        y = top + number * LINE_HEIGHT + 12
        yield f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{text_of(line.text)}</text>'


def text_of(text: str) -> str:
    """XML cannot even spell most control characters."""
    return escape(printable(text))
