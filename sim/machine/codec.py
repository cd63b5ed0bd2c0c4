"""Values as JSON, without loss: what is kept on disk, and what goes over a wire.

A tuple is a list; what JSON does not have is an object with one key that begins with @, a record one whose `@` names its
class: `{"@": "Point", "x": 1}`, `{"@set": [1, 2]}`, `{"@enum": "Colour.RED"}`, `{"@bytes": "..."}` in base64. Classes are
looked up among those that a system could have in its values; nothing is ever imported for a name.
"""

from __future__ import annotations

import base64
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import MISSING, fields
from enum import Enum
from typing import Any

from sim.base.errors import ConfigError, unknown
from sim.base.values import Record, SortedSet, Value, freeze, is_record

KIND = "@"
SET, ENUM, BYTES = "@set", "@enum", "@bytes"


class Codec:
    """Writes and reads the values of some machines: `classes` are theirs."""

    def __init__(self, classes: Iterable[type]) -> None:
        self._kinds: dict[str, type] = {}
        self._names: dict[type, str] = {}
        for kind in _reachable(classes):
            name = kind.__name__
            if name in self._kinds and self._kinds[name] is not kind:
                name = f"{kind.__module__}.{kind.__qualname__}"
            self._kinds[name] = kind
            self._names[kind] = name
        self._fields: dict[type, tuple[str, ...]] = {}

    def dump(self, value: Value) -> Any:
        """The value as JSON. Raises `ConfigError` for a record of a class that `load` would not find."""
        kind = type(value)
        if value is None or kind is str or kind is int or kind is bool:
            return value
        if kind is tuple:
            return [self.dump(one) for one in value]
        if isinstance(value, Enum):
            return {ENUM: f"{self._name(kind)}.{value.name}"}
        if is_record(value):
            names = self._fields.get(kind)
            if names is None:
                names = self._fields[kind] = tuple(field.name for field in fields(value))
            return {KIND: self._name(kind), **{name: self.dump(getattr(value, name)) for name in names}}
        if isinstance(value, frozenset):
            return {SET: [self.dump(one) for one in SortedSet(value)]}
        if isinstance(value, bytes):
            return {BYTES: base64.b64encode(value).decode()}
        return value

    def load(self, data: Any) -> Value:
        """The value that `dump` has written so. Raises `ConfigError` for what it could not have written, with a record
        whose class has other fields now among it."""
        try:
            return freeze(self._load(data))
        except (TypeError, ValueError) as error:
            raise ConfigError(f"{str(data)[:80]} is not a value: {error}") from None

    def _load(self, data: Any) -> Value:
        if isinstance(data, list):
            return tuple(self._load(one) for one in data)
        if not isinstance(data, dict):
            if isinstance(data, float):
                raise ConfigError(f"{data} is not a value: expected JSON that roundsim wrote")
            return data
        if KIND in data:
            return self._record(data)
        (key, inner), *more = data.items() or (("", None),)
        read = _READ.get(key)
        if read is None or more:
            raise ConfigError(f"{str(data)[:80]} is not a value: expected JSON that roundsim wrote")
        return read(self, inner)

    def _record(self, data: dict[str, Any]) -> Value:
        kind = self._kind(data[KIND])
        given = {name: self._load(inner) for name, inner in data.items() if name != KIND}
        known = {field.name: field for field in fields(kind)}
        mistakes = [f"{data[KIND]}: {unknown('field', name, known)}" for name in given if name not in known]
        mistakes += [
            f"{data[KIND]}: has a field {name!r} without a default now, which was not kept"
            for name, field in known.items()
            if name not in given and field.default is MISSING and field.default_factory is MISSING
        ]
        if mistakes:
            raise ConfigError(*mistakes)
        return kind(**given)

    def _set(self, inner: Any) -> Value:
        return SortedSet(self._load(one) for one in inner)

    def _enum(self, inner: Any) -> Value:
        name, _, member = str(inner).rpartition(".")
        kind: Any = self._kind(name)
        if member not in getattr(kind, "__members__", {}):
            raise ConfigError(f"{name}: {unknown('member', member, getattr(kind, '__members__', {}))}")
        return kind[member]

    def _bytes(self, inner: Any) -> Value:
        return base64.b64decode(inner, validate=True)

    def kinds(self) -> tuple[type, ...]:
        """All classes that it knows."""
        return tuple(self._names)

    def kind(self, name: str) -> type:
        """The class of this name. Raises `ConfigError` if there is none."""
        return self._kind(name)

    def _kind(self, name: Any) -> type:
        found = self._kinds.get(name)
        if found is None:
            raise ConfigError(unknown("class", str(name), self._kinds))
        return found

    def _name(self, kind: type) -> str:
        name = self._names.get(kind)
        if name is None:
            raise ConfigError(
                f"{kind.__module__}.{kind.__qualname__} cannot be kept: nobody could tell which class it is; "
                "define it in, or import it into, the module of the process that has it"
            )
        return name


_READ: dict[str, Callable[[Codec, Any], Value]] = {SET: Codec._set, ENUM: Codec._enum, BYTES: Codec._bytes}


def plain(data: Any) -> Any:
    """What `dump` gave, as a log has it: records without their class, sets as lists, members by name."""
    if isinstance(data, list):
        return [plain(one) for one in data]
    if isinstance(data, dict):
        if SET in data:
            return [plain(one) for one in data[SET]]
        if ENUM in data:
            return str(data[ENUM]).rpartition(".")[2]
        if BYTES in data:
            return repr(base64.b64decode(data[BYTES]))
        return {name: plain(one) for name, one in data.items() if name != KIND}
    return data


def _reachable(classes: Iterable[type]) -> Iterator[type]:
    """The records and enums of the modules in which these classes, and their bases, and what is found there, are."""
    seen: dict[type, None] = {}
    modules: dict[str, None] = {}
    stack = [base for cls in classes for base in cls.__mro__]
    while stack:
        cls = stack.pop()
        if _is_kept(cls):
            seen[cls] = None
        module = sys.modules.get(cls.__module__)
        if module is None or cls.__module__ in modules or cls.__module__ == "builtins":
            continue
        modules[cls.__module__] = None
        stack += [one for one in vars(module).values() if isinstance(one, type) and _is_kept(one)]
    yield from sorted(seen, key=lambda kind: (not issubclass(kind, Record), kind.__module__, kind.__qualname__))


def _is_kept(cls: type) -> bool:
    """Whether its instances may be values: records, which any frozen dataclass is, and enums. The framework's own are, if
    they are declared as records: nobody has a system in a field."""
    if issubclass(cls, Enum):
        return cls is not Enum
    if cls.__module__.partition(".")[0] == __name__.partition(".")[0]:
        return cls is not Record and issubclass(cls, Record)
    params = getattr(cls, "__dataclass_params__", None)
    return cls is not Record and params is not None and bool(params.frozen)
