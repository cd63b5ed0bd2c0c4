"""What a text of YAML 1.2 means: a tree in which every key and value knows its place, and the scalars in it.

It needs no parser: `--set` has single values, which are read as those of a file are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sim.scenario.mistakes import FilePlace

DIGITS_MAX = 30

Plain = Any
"""None, a bool, an int, a float, a str, a list or a dict with str keys."""


@dataclass
class Node:
    """A value and its place; `keys` holds the place of each key of a mapping."""

    place: FilePlace
    value: Plain | list[Node] | dict[str, Node]
    keys: dict[str, FilePlace] = field(default_factory=dict)

    def plain(self) -> Plain:
        """The value without places."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def find(self, path: Sequence[str | int]) -> tuple[tuple[str | int, ...], Node]:
        """The node at `path`, or the last one that exists on the way to it, with its own path."""
        node, taken = self, []
        for step in path:
            inside = node.value
            if isinstance(inside, dict) and step in inside:
                node = inside[str(step)]
            elif isinstance(inside, list) and isinstance(step, int) and step < len(inside):
                node = inside[step]
            else:
                break
            taken.append(step)
        return tuple(taken), node

    def place_of(self, *path: str | int) -> FilePlace:
        """The place of the value at `path`, or of the last value on the way to it."""
        return self.find(path)[1].place

    def key_place(self, *path: str | int) -> FilePlace:
        """The place of the key at `path`; of the value if it is in a list."""
        _, parent = self.find(path[:-1])
        return parent.keys.get(str(path[-1]), self.place_of(*path))


INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, Plain] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}


def resolve(text: str) -> Plain:
    """What an unquoted scalar means in the core schema of YAML 1.2: `no` and `on` are texts."""
    if text in _WORDS:
        return _WORDS[text]
    if len(text) <= DIGITS_MAX + 2 and INT.fullmatch(text):
        return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
    return float(text) if len(text) <= 400 and _FLOAT.fullmatch(text) else text
