"""Reads where a scenario begins, if not at the start of its model: what was persisted of a run (`begins:`)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sim.base.durations import parse_range
from sim.base.errors import ConfigError, SimError, brief, failure, unknown
from sim.base.values import Value
from sim.machine.codec import Codec
from sim.scenario.mistakes import Mistakes, said
from sim.scenario.parsed import Opened
from sim.scenario.tree import Node, Plain
from sim.system.declaration import Declaration
from sim.system.persisted import Flying, Persisted, Persisting, begun_from
from sim.system.persisted_form import codec_of

Path = tuple[str | int, ...]
KEYS = ("persisted", "in_flight", "notes")
OF_ONE = ("state", "fields", "timers", "up")
OF_MESSAGE = ("from", "to", "message", "again")

_VALUE: dict[str, Any] = {
    "description": "A value as JSON: a number, true or false stand for themselves, all else is a text."
}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "persisted": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "properties": {
                    "state": {"type": "string"},
                    "fields": {"type": "object", "additionalProperties": _VALUE},
                    "timers": {"type": "object", "additionalProperties": {"type": "string"}},
                    "up": {"type": "boolean"},
                },
                "required": ["state"],
                "additionalProperties": False,
            },
        },
        "in_flight": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "from": {"type": "string"},
                    "to": {"type": "string"},
                    "message": _VALUE,
                    "again": {"type": "boolean"},
                },
                "required": ["from", "to", "message"],
                "additionalProperties": False,
            },
        },
        "notes": {"type": "array", "items": {"type": "string"}},
    },
    "additionalProperties": False,
}
"""The shape of it, for editors."""


class Misplaced(Exception):
    """What is wrong, and where."""

    def __init__(self, path: Path, mistake: str) -> None:
        super().__init__(mistake)
        self.path, self.mistake = path, mistake


def read_beginning(data: Plain, system: Declaration) -> tuple[Persisted, list[Misplaced]]:
    """What `sim.system.persisted_form` has written, and what is wrong with it, which is left out."""
    reader = _Reader(codec_of(system))
    found = reader.read(data)
    return found, reader.mistakes


def begun(system: Opened, data: Plain, root: Node, mistakes: Mistakes) -> Opened:
    """The system begun where a file says; None says nothing."""
    if data is None:
        return system
    if not isinstance(system, Declaration):
        mistakes.add(root.key_place("begins"), "a program begins at its start; leave `begins` out")
        return system
    persisted, wrong = read_beginning(data, system)
    for one in wrong:
        path = ("begins", *one.path)
        mistakes.add(root.place_of(*path), f"{'.'.join(map(_shown, path))}: {one.mistake}")
    try:
        return system if wrong else begun_from(system, persisted)
    except SimError as error:
        mistakes.add_all(root.key_place("begins"), error)
        return system


def _shown(step: str | int) -> str:
    """A step of a path; a file may call anything anyhow."""
    text = str(step)
    return text if text.isprintable() and " " not in text else brief(text)


class _Reader:
    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self.mistakes: list[Misplaced] = []

    def read(self, data: Plain) -> Persisted:
        locals_, flying, notes = {}, [], []
        for key, inner in self._mapping((), data, KEYS):
            if key == "persisted":
                for name, one in self._mapping((key,), inner):
                    locals_[name] = self._one((key, name), one)
            elif key == "in_flight":
                for path, one in self._items((key,), inner):
                    flying.append(self._message(path, one))
            else:
                notes += [self._text(path, one) for path, one in self._items((key,), inner)]
        return Persisted(locals_, tuple(one for one in flying if one is not None), notes=tuple(notes))

    def _one(self, path: Path, data: Plain) -> Persisting:
        found = dict(self._mapping(path, data, OF_ONE, OF_ONE[:1]))
        fields = {
            name: self._value((*path, "fields", name), value)
            for name, value in self._mapping((*path, "fields"), found.get("fields", {}))
        }
        timers = {
            name: self._due((*path, "timers", name), due)
            for name, due in self._mapping((*path, "timers"), found.get("timers", {}))
        }
        up = self._bool((*path, "up"), found.get("up", True))
        return Persisting(self._text((*path, "state"), found.get("state", "")), fields, timers, up)

    def _message(self, path: Path, data: Plain) -> Flying | None:
        count = len(self.mistakes)
        found = dict(self._mapping(path, data, OF_MESSAGE, OF_MESSAGE[:3]))
        if len(self.mistakes) > count:
            return None
        source, target = (self._text((*path, key), found[key]) for key in ("from", "to"))
        message: Any = self._value((*path, "message"), found["message"])
        again = self._bool((*path, "again"), found.get("again", False))
        return None if len(self.mistakes) > count else Flying(source, target, message, again)

    def _value(self, path: Path, data: Plain) -> Value:
        try:
            return self._codec.load(json.loads(data) if isinstance(data, str) else data)
        except SimError as error:
            self._wrong(path, "; ".join(error.mistakes))
        except json.JSONDecodeError as error:
            self._wrong(
                path, f"{said(data)} is not JSON ({error}); write a text of JSON, such as '\"idle\"' or '[1, 2]'"
            )
        except Exception as error:  # a class of the model refuses it, or it is nested without end
            self._wrong(path, f"{said(data)} cannot be a value of the model: {failure(error)}")
        return None

    def _due(self, path: Path, data: Plain) -> tuple[int, int]:
        try:
            return parse_range(self._text(path, data) or "0ms")
        except ConfigError as error:
            self._wrong(path, str(error))
        return 0, 0

    # --- shapes -------------------------------------------------------------------------------------

    def _mapping(
        self, path: Path, data: Plain, known: tuple[str, ...] = (), required: tuple[str, ...] = ()
    ) -> Iterator[tuple[str, Plain]]:
        """The pairs of a mapping, but for keys that are not `known`."""
        if not isinstance(data, Mapping):
            self._wrong(path, f"{said(data)} is not a mapping; write {', '.join(known) or 'name'}: ...")
            return
        for key in required:
            if key not in data:
                self._wrong(path, f"the key `{key}` is missing; write `{key}: ...`")
        for key, inner in data.items():
            if known and key not in known:
                self._wrong((*path, key), unknown("key", key, known))
            else:
                yield key, inner

    def _items(self, path: Path, data: Plain) -> Iterator[tuple[Path, Plain]]:
        if not isinstance(data, list):
            self._wrong(path, f"{said(data)} is not a list")
            return
        yield from (((*path, number), one) for number, one in enumerate(data))

    def _text(self, path: Path, data: Plain) -> str:
        if isinstance(data, str):
            return data
        self._wrong(path, f"{said(data)} is not a text; put it in quotes")
        return ""

    def _bool(self, path: Path, data: Plain) -> bool:
        if not isinstance(data, bool):
            self._wrong(path, f"{said(data)}; expected true or false")
        return data is True

    def _wrong(self, path: Path, mistake: str) -> None:
        self.mistakes.append(Misplaced(path, mistake))
