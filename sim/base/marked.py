"""Lines of which some parts mean something, which a terminal shows in colour: by `sim.base.printing`.

A colour only repeats what the words say: without it, in a pipe or under NO_COLOR, the line says the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum


class Meaning(Enum):
    """What a part of a line means; the values are its colours, as parameters of ECMA-48's SGR."""

    GOOD = "32"
    BAD = "1;31"
    ODD = "33"
    """Not wrong, and not usual: a fault that struck, an input that was rejected."""
    WHO = "1"
    ASIDE = "2"


Part = tuple[str, Meaning | None]


class Marked(str):
    """A line that knows what its parts mean. It is made by `marked`."""

    parts: tuple[Part, ...]


def marked(*parts: str | Part) -> Marked:
    """The line that these parts are one after the other: `marked(("VIOLATED", Meaning.BAD), "  ack_gate")`."""
    told = tuple((part, None) if isinstance(part, str) else part for part in parts)
    line = Marked("".join(text for text, _ in told))
    line.parts = told
    return line


OF_WORDS = {
    "ok": Meaning.GOOD,
    "VIOLATED": Meaning.BAD,
    "MISSED": Meaning.BAD,
    "CRITICAL": Meaning.BAD,
    "INCOMPLETE": Meaning.ODD,
    "INTERRUPTED": Meaning.ODD,
    "WARNING": Meaning.ODD,
    "BUDGET": Meaning.ODD,
}
"""What a line means that begins with this word, wherever it is said: an answer is never anything else."""


def parts_of(line: str) -> tuple[Part, ...]:
    """The parts of any line; of one that was not marked the word with which it begins, if that is an answer."""
    if isinstance(line, Marked):
        return line.parts
    word = line[: next((at for at, one in enumerate(line) if not one.isalpha()), len(line))]
    return ((word, OF_WORDS[word]), (line[len(word) :], None)) if word in OF_WORDS else ((line, None),)


def within(line: str, start: int, end: int) -> Iterator[Part]:
    """The parts of a piece of a line."""
    at = 0
    for text, meaning in parts_of(line):
        piece = text[max(0, start - at) : max(0, end - at)]
        if piece:
            yield piece, meaning
        at += len(text)
