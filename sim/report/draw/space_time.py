"""A run as a space-time diagram in one SVG file: a lane for each process, a row for each step, and every message from where
it was sent to where it arrived."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

from sim.report.draw.chart import CHAR_WIDTH
from sim.report.draw.svg import head, text_of
from sim.world.finding import Finding
from sim.world.story import Fate, Happening, Journey, Look, Story

ROW, TOP, MARGIN = 34, 96, 24
GUTTER = 44
"""Where the numbers of the steps stand."""
LANE_MIN, LANE_MAX = 110, 240
WORDS_MAX = 72
"""Characters of what is said of a step."""
_SIGNS = {"fire": "◆", "move": "■", "crash": "✖", "restart": "○"}
_STYLE = """
svg { background: #fff; color: #1b1f24; font: 12px ui-monospace, Menlo, Consolas, monospace }
text { fill: currentColor; white-space: pre } .name { font-weight: 700; font-size: 13px }
.heading { font-weight: 700; font-size: 15px } .note { fill: #57606a }
.lane { stroke: #aab4bf; stroke-width: 1.5 } .down { stroke: #b3261e; stroke-width: 2; stroke-dasharray: 2 5 }
.way { fill: none; stroke: #57606a; stroke-width: 1.4 } .dashed { stroke-dasharray: 5 4 } .tip { fill: #57606a }
.label { paint-order: stroke; stroke: #fff; stroke-width: 3px; stroke-linejoin: round }
.sign { text-anchor: middle; font-size: 13px } .bad { fill: #b3261e; font-weight: 700 } .row { fill: #fde7e5 }
@media (prefers-color-scheme: dark) {
  svg { background: #0f1419; color: #e6e9ed } .lane { stroke: #4b5763 } .way { stroke: #8b96a3 }
  .tip, .note { fill: #8b96a3 } .label { stroke: #0f1419 } .bad { fill: #ff8f86 } .down { stroke: #ff8f86 }
  .row { fill: #3b1c1b }
}
"""


def sequence(story: Story, title: str, finding: Finding | None = None) -> str:
    """The drawing of a run, and what is wrong with it."""
    return "\n".join(_Drawing(story, title, finding).parts())


class _Drawing:
    def __init__(self, story: Story, title: str, finding: Finding | None) -> None:
        self._story, self._title, self._finding = story, title, finding
        self._last = story.events[-1].number
        names = [len(name) for name in story.processes]
        labels = [len(way.name) + 5 for way in story.journeys]
        self._gap = min(LANE_MAX, max(LANE_MIN, (max([*names, *labels], default=0) + 2) * CHAR_WIDTH))
        self._says = GUTTER + MARGIN + (len(names) - 0.4) * self._gap
        self._words = {event.number: words for event, words in _told(story)}

    def parts(self) -> Iterator[str]:
        longest = max((len(" ".join(words)) for words in self._words.values()), default=0)
        verdict = f"⚑ {self._finding.property}: {self._finding.message}" if self._finding else ""
        wide = [
            self._says + longest * CHAR_WIDTH * 1.05,
            MARGIN + max(len(self._title) * 1.3, len(verdict)) * CHAR_WIDTH * 1.05,
        ]
        width = round(max(wide) + MARGIN)
        yield head(width, self._y(self._last) + (2.2 if verdict else 1.2) * ROW, _STYLE)
        yield _text(MARGIN, 26, self._title, "heading")
        if self._finding:
            yield f'<rect class="row" x="0" y="{self._y(self._last) - ROW / 2}" width="{width}" height="{ROW}"/>'
        yield from self._lanes()
        yield from map(self._way, self._story.journeys)
        for event in self._story.events:
            yield from self._step(event)
        if verdict:
            yield _text(MARGIN, self._y(self._last) + 1.3 * ROW, verdict, "bad")
        yield "</svg>"

    def _x(self, process: str) -> float:
        return GUTTER + (self._story.names.index(process) + 0.5) * self._gap

    def _y(self, step: int) -> float:
        return TOP + step * ROW

    def _lanes(self) -> Iterator[str]:
        for number, name in enumerate(self._story.processes):
            yield _text(self._x(name), 58, name, "name", "middle")
            yield _text(self._x(name), 75, self._story.looks[self._story.first[number]].state, "note", "middle")
            for begin, end, up in _spans(self._story, number, self._last):
                kind, bottom = "lane" if up else "down", self._y(end) + (ROW / 2 if end == self._last else 0)
                yield _line(kind, self._x(name), self._y(begin), self._x(name), bottom)

    def _way(self, way: Journey) -> str:
        if way.beside is not None and way.fate is not Fate.STRUCK:
            return ""
        ax, ay, bx = self._x(way.source), self._y(way.sent), self._x(way.target)
        if way.ended is None:
            return self._open(way, ax, ay, -1 if bx < ax else 1)
        by = self._y(way.ended)
        if way.fate is Fate.LOST:
            bx = (ax + bx) / 2
        kind = "way dashed" if way.fate is Fate.STRUCK else "way"
        if way.source == way.target:
            turn = self._gap * 0.3
            return f'<path class="{kind}" marker-end="url(#tip)" d="M{ax:g},{ay:g} C{ax + turn:g},{ay:g} {ax + turn:g},{by:g} {ax + 8:g},{by:g}"/>'
        short = 0 if way.fate is Fate.LOST else 8 / math.dist((ax, ay), (bx, by))
        end = (bx - (bx - ax) * short, by - (by - ay) * short)
        arrow = _line(kind, ax, ay, *end, tip=way.fate is not Fate.LOST)
        return arrow + _text(bx, by + 4, "✖", "sign bad") if way.fate is Fate.LOST else arrow

    def _open(self, way: Journey, x: float, y: float, side: int) -> str:
        """What has not arrived at the end."""
        anchor = "end" if side < 0 else "start"
        name = _text(x + side * 34, y + 14, f"({way.name})", "label note", anchor)
        return _line("way dashed", x, y, x + side * 30, y + 10) + name

    def _step(self, event: Happening) -> Iterator[str]:
        y, is_end = self._y(event.number), self._finding is not None and event.number == self._last
        if event.number == 0:
            yield from (_text(self._x(name), y + 4, "■", "sign note") for name in self._story.processes)
            return
        yield _text(GUTTER - 12, y + 4, str(event.number), "note", "end")
        says, moves = self._words[event.number]
        kind = "bad" if is_end else ""
        yield _text(self._says, y + 4, says, kind)
        yield _text(self._says + (len(says) + 2) * CHAR_WIDTH * 1.05, y + 4, moves, "note")
        if event.process in self._story.processes:
            sign = "▲" if event.faults else _SIGNS.get(event.kind, "●")
            yield _text(self._x(event.process), y + 5, sign, f"sign {kind}")
        if event.journey is not None:
            way = self._story.journeys[event.journey]
            beyond = 20 if self._x(way.source) >= self._x(way.target) else -20
            x = (self._x(way.source) + self._x(way.target)) / 2 if way.fate is Fate.LOST else self._x(way.target)
            yield _text(x + beyond, y - 5, way.name, "label", "start" if beyond > 0 else "end")


def _told(story: Story) -> Iterator[tuple[Happening, tuple[str, str]]]:
    """Of each step what is said of it, and which processes went to another state."""
    looks = [story.looks[number] for number in story.first]
    for event in story.events:
        moves = []
        for actor, number in event.changed:
            before, looks[actor] = looks[actor], story.looks[number]
            if before.state != looks[actor].state and not story.actors[actor].listens:
                moves.append(f"{story.names[actor]}: {before.state} → {looks[actor].state}")
        says = event.text
        if event.kind == "deliver" and event.journey is not None:  # who sent it to whom is drawn
            says = story.journeys[event.journey].text + "".join(f" ({kind})" for kind in event.faults)
        yield event, (_cut(" ".join(says.split())), _cut(", ".join(moves)))


def _cut(text: str) -> str:
    return text if len(text) <= WORDS_MAX else f"{text[: WORDS_MAX - 1]}…"


def _spans(story: Story, actor: int, last: int) -> Iterator[tuple[int, int, bool]]:
    """From which step to which an actor is up, and down."""
    look: Look = story.looks[story.first[actor]]
    turns = [(0, look.up)]
    for event in story.events:
        up = next((story.looks[number].up for index, number in event.changed if index == actor), turns[-1][1])
        if up != turns[-1][1]:
            turns.append((event.number, up))
    for (begin, up), (end, _) in pairwise([*turns, (last, True)]):
        yield begin, end, up


def _line(kind: str, ax: float, ay: float, bx: float, by: float, *, tip: bool = False) -> str:
    ends = f'x1="{ax:.1f}" y1="{ay:.1f}" x2="{bx:.1f}" y2="{by:.1f}"'
    return f'<line class="{kind}" {ends}{" marker-end=" + chr(34) + "url(#tip)" + chr(34) if tip else ""}/>'


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "") -> str:
    more = f' class="{kind}"' if kind.strip() else ""
    more += f' text-anchor="{anchor}"' if anchor else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{more}>{text_of(text)}</text>' if text else ""
