"""A log beside the steps of the model that explain it, in words: what a page shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sim.conform.fitting import input_text, put_text, value_text
from sim.conform.logged import LogLine


class LaneLine(NamedTuple):
    """A line of a log."""

    place: str
    number: int
    process: str
    text: str
    """What the process was given."""
    more: tuple[str, ...]
    """What came of it, as far as the line says."""


class Lanes(NamedTuple):
    """The lines that each step explains, the start first; then those that nothing explains, the one to blame first."""

    steps: tuple[tuple[LaneLine, ...], ...]
    left: tuple[LaneLine, ...]


def lanes_of(steps: Sequence[Sequence[LogLine]], left: Sequence[LogLine]) -> Lanes:
    """These lines, in words."""
    return Lanes(tuple(tuple(map(lane_line, lines)) for lines in steps), tuple(map(lane_line, left)))


def lane_line(line: LogLine) -> LaneLine:
    """A line in words."""
    return LaneLine(line.place, line.number, line.process, input_text(line.said["input"]), tuple(_more(line)))


def _more(line: LogLine) -> Iterator[str]:
    said = line.said
    for put in said.get("outputs") or ():
        yield f"{'sends' if 'send' in put else 'emits'} {put_text(put)}"
    if "outputs" in said and not said["outputs"]:
        yield "puts nothing out"
    if "state" in said:
        yield f"state {said['state']}"
    for name, value in (said.get("fields") or {}).items():
        yield f"{name} = {value_text(value)}"
    if line.at is not None:
        yield f"at {line.at} ms"
