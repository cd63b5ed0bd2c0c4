"""Writes a schedule out: `repeat` says a list of actions once, for several rounds.

    - repeat: n in 1..30
      do:
        - move conversation.update
        - deliver conversation->coordinator Update(number=$n)

`repeat` is how often (`3`), or a name and its values: ranges and words, as in `agent in gemini, claude` or `n in 0, 5..9`.
`$n` stands for the value of the round. Written out, a schedule keeps to the limits of a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sim.base.errors import brief, unknown
from sim.scenario.document import NODES_MAX, SIZE_MAX
from sim.scenario.mistakes import FilePlace, Mistakes, said
from sim.scenario.tree import Node

KEYS = ("repeat", "do")
ITEM = "an action as text, such as deliver a->b Ask (quote it if it holds ': ' or ' #'), or a mapping of repeat, do"
ROUNDS = "how often, such as 3, or a name and its values, such as n in 1..30 or agent in gemini, claude"

_NAME = r"[A-Za-z_]\w*"
_USE = re.compile(rf"\$({_NAME})")
_HEAD = re.compile(rf"\s*(?P<name>{_NAME})\s+in\s+(?P<values>\S.*)", re.S)
_RANGE = re.compile(r"(\d{1,9})\s*\.\.\s*(\d{1,9})")

_ITEMS: dict[str, Any] = {
    "type": "array",
    "items": {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/Repeat"}]},
}
SCHEMA: dict[str, Any] = {"description": "An explicit schedule: actions by their addresses, and repeats.", **_ITEMS}
REPEAT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "A list of actions for several rounds.",
    "properties": {
        "repeat": {
            "description": "How often, or a name and its values: 3, n in 1..30, agent in gemini, claude.",
            "anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": rf"^\s*{_NAME}\s+in\s+\S"}],
        },
        "do": {"description": "The actions; $n is the value of the round.", "minItems": 1, **_ITEMS},
    },
    "required": list(KEYS),
    "additionalProperties": False,
}
"""The shape of both, for editors."""


class Written(NamedTuple):
    """An action as it would stand without repeats; `round` says which rounds it is of: `n = 6`."""

    text: str
    place: FilePlace
    round: str


class _Action(NamedTuple):
    text: str
    place: FilePlace


class _Repeat(NamedTuple):
    name: str
    values: Sequence[range | str]
    items: Sequence[_Action | _Repeat]


def write_out(root: Node, mistakes: Mistakes) -> list[Written]:
    """The actions of the schedule in `root`; what is wrong with it goes to `mistakes` and is left out."""
    node = root.find(("schedule",))[1] if "schedule" in root.keys else None
    if node is None or not isinstance(node.value, list):
        return []
    items = _read(node, "schedule", (), mistakes)
    actions = _count(items)
    if actions > NODES_MAX:
        wrong = f"written out, the schedule has {actions:,} actions; at most {NODES_MAX:,} fit: repeat less often"
        mistakes.add(root.key_place("schedule"), wrong)
        return []
    written, size = [], 0
    for one in _written(items, {}, ""):
        size += len(one.text) if one.round else 0
        if size > SIZE_MAX:
            wrong = f"written out, the schedule is larger than {SIZE_MAX} bytes; repeat less often"
            mistakes.add(root.key_place("schedule"), wrong)
            return []
        written.append(one)
    return written


def _read(node: Node, where: str, names: tuple[str, ...], mistakes: Mistakes) -> list[_Action | _Repeat]:
    """The items of a list; `names` are those of the repeats around it."""
    items: list[_Action | _Repeat] = []
    for number, item in enumerate(node.value, 1):
        if isinstance(item.value, dict):
            items += _repeat(item, item.value, names, mistakes)
        elif not isinstance(item.value, str):
            mistakes.add(item.place, f"{where} item {number} is {said(item.plain())}; expected {ITEM}")
        elif not item.value.strip():
            mistakes.add(item.place, "an empty item; write an action such as deliver a->b Ask, or remove it")
        else:
            strange = [used for used in dict.fromkeys(_USE.findall(item.value)) if names and used not in names]
            for used in strange:
                wrong = unknown("name", f"${used}", [f"${name}" for name in names])
                mistakes.add(item.place, f"{brief(item.value)}: {wrong}")
            items += [] if strange else [_Action(item.value, item.place)]
    return items


def _repeat(node: Node, keys: Mapping[str, Node], names: tuple[str, ...], mistakes: Mistakes) -> list[_Repeat]:
    """The repeat in a mapping; none if it has no rounds that can be read."""
    for key in keys:
        if key not in KEYS:
            mistakes.add(node.keys[key], unknown("key", key, KEYS))
    for key in KEYS:
        if key not in keys:
            example = {"repeat": "3", "do": "[move user.ask]"}[key]
            mistakes.add(node.place, f"the key `{key}` is missing; write `{key}: {example}`")
    rounds = _rounds(keys["repeat"], names, mistakes) if "repeat" in keys else None
    name, values = rounds or ("", ())
    todo = keys.get("do")
    if todo is None:
        return []
    if not isinstance(todo.value, list) or not todo.value:
        got = "an empty list" if todo.value == [] else said(todo.plain())
        mistakes.add(todo.place, f"do is {got}; expected a list of actions, such as [move user.ask]")
        return []
    inside = (*names, name) if name else names
    if rounds is None:  # a name in it may be one that cannot be read
        inside = tuple(dict.fromkeys((*inside, *_used(todo))))
    items = _read(todo, "do", inside, mistakes)
    return [_Repeat(name, values, items)] if rounds is not None else []


def _used(node: Node) -> Iterator[str]:
    """The names used anywhere in a node."""
    if isinstance(node.value, str):
        yield from _USE.findall(node.value)
    elif isinstance(node.value, list | dict):
        for inner in node.value.values() if isinstance(node.value, dict) else node.value:
            yield from _used(inner)


def _rounds(node: Node, names: tuple[str, ...], mistakes: Mistakes) -> tuple[str, Sequence[range | str]] | None:
    """The name and the values of a repeat; the name is empty where it only says how often."""
    value = node.value
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return "", [range(1, value + 1)]
    match = _HEAD.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        mistakes.add(node.place, f"repeat is {said(node.plain())}; expected {ROUNDS}")
        return None
    before = len(mistakes)
    if match["name"] in names:
        mistakes.add(node.place, f"repeat: the name {match['name']!r} is that of a repeat around it; use another")
    values = [_value(part.strip(), node.place, mistakes) for part in match["values"].split(",")]
    return (match["name"], values) if len(mistakes) == before else None


def _value(text: str, place: FilePlace, mistakes: Mistakes) -> range | str:
    match = _RANGE.fullmatch(text)
    if match is not None:
        first, last = int(match[1]), int(match[2])
        if last < first:
            mistakes.add(place, f"repeat: {brief(text)} is empty: the range ends before it begins")
        return range(first, last + 1)
    if ".." in text:
        mistakes.add(place, f"repeat: {brief(text)} is not a range; write two whole numbers, such as 1..30")
    elif not text or len(text.split()) > 1:
        mistakes.add(place, f"repeat: {brief(text)} is not a value; write words with commas between them")
    return text


def _count(items: Sequence[_Action | _Repeat]) -> int:
    return sum(
        _count(item.items) * sum(v.stop - v.start if isinstance(v, range) else 1 for v in item.values)
        if isinstance(item, _Repeat)
        else 1
        for item in items
    )


def _written(items: Sequence[_Action | _Repeat], bound: Mapping[str, str], told: str) -> Iterator[Written]:
    """Every action of every round; `bound` are the values of this one, `told` says so."""
    for item in items:
        if isinstance(item, _Action):
            text = _USE.sub(lambda use: bound.get(use[1], use[0]), item.text) if bound else item.text
            yield Written(text, item.place, told)
        elif item.items:
            for value in (str(one) for part in item.values for one in (part if isinstance(part, range) else (part,))):
                this = f"{item.name} = {value}" if item.name else f"round {value}"
                inner = {**bound, item.name: value} if item.name else bound
                yield from _written(item.items, inner, f"{told}, {this}" if told else this)
