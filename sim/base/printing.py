"""The door by which text leaves: to a terminal, or into a file that somebody shows on one.

Names, values and exceptions come from anybody. Whatever in them steers a terminal, turns the reading direction, ends a
line or cannot be encoded is shown as an escape: then a line is one line, and is what it looks like. Nothing but this
module prints; a format that is made of lines escapes each value with `printable`, and JSON is made by `json_text`.
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any

from sim.base.marked import Meaning, parts_of

ACTS = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # control characters: escape sequences, line breaks, NUL
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f"  # bidirectional controls
    "\u2028\u2029"  # line separators
    "\ufeff\ufff9-\ufffb"  # invisible marks
    "\ud800-\udfff]"  # lone surrogates
)

WORD_MAX = 255
LINE_MAX = 1_000
"""Characters of a word, and of a whole line, beyond which an error leaves out the middle."""


def printable(text: str) -> str:
    r"""`text` as it may stand in a line: `\x1b`, `\n`, `\u202e` instead of what acts."""
    return ACTS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def shortened(line: str) -> str:
    """A line without the middle of what is too long to read: its beginning says where, its end what would be right."""
    return _cut(_LONG.sub(lambda found: _cut(found[0], WORD_MAX // 2), line), LINE_MAX)


_LONG = re.compile(rf"\S{{{WORD_MAX + 1},}}")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - most // 3]}[...]{text[-(most // 3) :]}"


def json_text(data: object, **layout: Any) -> str:
    """`data` as JSON, with the same characters as escapes of JSON; `layout` is what `json.dumps` takes."""
    text = json.dumps(data, ensure_ascii=False, **layout)
    return ACTS.sub(lambda found: found[0] if found[0] == "\n" else f"\\u{ord(found[0]):04x}", text)


class _Look:
    coloured = False


LOOK = _Look()
"""Whether a terminal is shown colours: the command line says so, which knows what its user wants."""


def out(*lines: str) -> None:
    """Print lines on standard output; what is marked in them has a colour where somebody sees it."""
    if sys.stdout is not None:  # it is None if it was closed before Python started
        shown = _coloured if LOOK.coloured and sys.stdout.isatty() else printable
        sys.stdout.write("".join(f"{shown(line)}\n" for line in lines))
        sys.stdout.flush()


def _coloured(line: str) -> str:
    return "".join(_painted(printable(text), meaning) for text, meaning in parts_of(line))


def _painted(text: str, meaning: Meaning | None) -> str:
    return text if meaning is None else f"\x1b[{meaning.value}m{text}\x1b[0m"


def document(text: str) -> None:
    """Print a text of lines, whether the last one is ended or not."""
    out(*text.removesuffix("\n").split("\n"))


def err(*lines: str) -> None:
    """Print lines on standard error. What they quote may be of any length: they are kept readable."""
    _tell("".join(f"{shortened(printable(line))}\n" for line in lines))


def progress(line: str) -> None:
    """Print a line on standard error over the one before."""
    _tell(f"\r{printable(line)}")


def _tell(text: str) -> None:
    """Where standard error is full or closed, what is said there is lost; the answer and its status are not."""
    try:
        if sys.stderr is not None:
            sys.stderr.write(text)
            sys.stderr.flush()
    except (OSError, ValueError):
        pass
