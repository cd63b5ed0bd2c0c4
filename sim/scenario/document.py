"""YAML 1.2 as a tree in which every key and value knows its place.

The parser's events are read one by one, so that what a scenario never needs (tags, anchors, aliases, further documents,
endless nesting) is refused before it has any effect: no object is ever constructed, and nothing grows beyond the size
of the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from sim.base.errors import brief
from sim.scenario.mistakes import START, FilePlace, Mistakes
from sim.scenario.tree import DIGITS_MAX, INT, Node, Plain, resolve

SIZE_MAX = 2 * 1024 * 1024
NODES_MAX = 50_000
"""Keys and values of a file: the time to read it grows with them, more than with its size."""
DEPTH_MAX = 16


def read_document(text: str, mistakes: Mistakes) -> Node | None:
    """The tree of `text`; what is wrong with it goes to `mistakes`. None if nothing of it can be used."""
    stray = _STRAY.search(text)
    if stray is not None:
        place = place_at(text[: stray.start()])
        mistakes.add(
            place, f"the file holds the control character U+{ord(stray[0]):04X}; expected a text file in UTF-8"
        )
        return None
    builder = _Builder(mistakes)
    for event in _events(text, mistakes):
        if not builder.feed(event):
            return None
    return builder.root


_STRAY = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""The characters that YAML 1.2 calls not printable."""


def place_at(before: str) -> FilePlace:
    """The place of what follows the text `before`."""
    return FilePlace(before.count("\n") + 1, len(before) - before.rfind("\n"))


def _events(text: str, mistakes: Mistakes) -> Iterator[Any]:
    """The events of the parser, up to its first error."""
    last = START
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            last = _place(event.start_mark)
            yield event
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = error.problem or error.context or "it cannot be read"
        mistakes.add(_place(mark) if mark else last, f"malformed YAML: {problem}; {_advice(problem)}")
    except Exception:  # malformed text makes the parser itself stumble: an escape beyond Unicode, say
        mistakes.add(last, f"malformed YAML: the text from here on cannot be read; {_advice('')}")


_ADVICE = (
    ("'\\t'", "indent with spaces"),
    ("mapping values are not allowed", "quote a value that holds ': ', and check the indentation"),
    ("could not find expected ':'", "write `key: value`, with a space after the colon"),
    ("expected ',' or ']'", "close the list with ']'"),
    ("expected ',' or '}'", "close the mapping with '}'"),
    ("end of stream", "close the quotes"),
    ("cannot start any token", "quote a value that begins with a special character"),
    ("expected <block end>", "give all keys of one mapping the same indentation"),
)


def _advice(problem: str) -> str:
    default = "write `key: value` lines, indented with spaces, and quote what holds ': ' or ' #'"
    return next((advice for part, advice in _ADVICE if part in problem), default)


def _place(mark: Any) -> FilePlace:
    return FilePlace(mark.line + 1, mark.column + 1)


class _Builder:
    """Builds the tree from events, without recursion."""

    def __init__(self, mistakes: Mistakes) -> None:
        self.root: Node | None = None
        self._mistakes = mistakes
        self._open: list[Node] = []
        self._pending: list[tuple[str | None, FilePlace] | None] = []  # the current key of each open mapping
        self._documents = 0
        self._nodes = 0

    def feed(self, event: Any) -> bool:
        """Take one event; whether the rest of the file is worth reading."""
        kind, place = type(event).__name__, _place(event.start_mark)
        if kind == "DocumentStartEvent":
            self._documents += 1
            if self._documents > 1:
                self._mistakes.add(place, "a second document begins here; a scenario is one document: remove the `---`")
                return False
        if kind == "AliasEvent":
            self._mistakes.add(place, f"the alias *{event.anchor} is refused; write the value out")
            return False
        if getattr(event, "anchor", None):
            self._mistakes.add(
                place, f"the anchor &{event.anchor} is refused, since nothing may refer to it; remove it"
            )
        if getattr(event, "tag", None):
            self._mistakes.add(
                place, f"the tag {_short(event.tag)} is refused: a scenario holds plain values; remove it"
            )
        if kind == "ScalarEvent":
            self._nodes += 1
            if self._nodes > NODES_MAX:
                self._mistakes.add(place, f"more than {NODES_MAX:,} keys and values; a scenario is a short text")
                return False
            self._take(Node(place, self._scalar(event, place)), event.value)
        elif kind in ("MappingStartEvent", "SequenceStartEvent"):
            if len(self._open) == DEPTH_MAX:
                self._mistakes.add(place, f"nested more than {DEPTH_MAX} deep; a scenario is nearly flat")
                return False
            node = Node(place, {} if kind == "MappingStartEvent" else [])
            self._take(node, None)
            self._open.append(node)
            self._pending.append(None)
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            self._open.pop()
            self._pending.pop()
        return True

    def _scalar(self, event: Any, place: FilePlace) -> Plain:
        half = _HALF.search(event.value)
        if half is not None:
            self._mistakes.add(place, f"a lone surrogate, U+{ord(half[0]):04X}; write the character itself")
            return ""
        if event.style:  # quoted, or a block of text
            return event.value
        if sum(map(str.isdigit, event.value)) > DIGITS_MAX and INT.fullmatch(event.value):
            self._mistakes.add(place, f"{brief(event.value)} is too large a number; quote it if it is text")
            return 0
        return resolve(event.value)

    def _take(self, node: Node, text: str | None) -> None:
        """Put a node where it belongs: the top, a list, or a mapping, where it is a key or a value."""
        if not self._open:
            self.root = node
            return
        parent, key = self._open[-1], self._pending[-1]
        if isinstance(parent.value, list):
            parent.value.append(node)
        elif key is None:
            if text is None:
                self._mistakes.add(node.place, "a list or mapping cannot be a key; write a name before the colon")
            self._pending[-1] = (text, node.place)
        else:
            self._pending[-1] = None
            name, place = key
            if name is None:
                return
            if name in parent.keys:
                first = parent.keys[name]
                self._mistakes.add(
                    place, f"key {brief(name)} is given twice, first on line {first.line}; remove one of them"
                )
                return
            parent.keys[name] = place
            parent.value[name] = node


_HALF = re.compile("[\ud800-\udfff]")
"""Surrogates: an escape can spell one, but it is not text."""


def _short(tag: Any) -> str:
    return brief(str(tag).replace("tag:yaml.org,2002:", "!!"))
