"""Names of processes exchanged inside values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from sim.base.values import SortedSet, Value, is_record


def renamed(value: Value, names: Mapping[str, str]) -> Value:
    """`value` with every string in it that is a key of `names`, as a whole, replaced by its entry in `names`.

    It descends into tuples, frozensets and records. A name that is only part of a string stays, and so does an Enum
    member.
    """
    kind = type(value)
    if kind is str:
        return names.get(value, value)
    if kind is tuple:
        return tuple(renamed(item, names) for item in value)
    if isinstance(value, frozenset):
        return SortedSet(renamed(item, names) for item in frozenset.__iter__(value))
    if is_record(value):
        return _renamed_record(value, names)
    return value


def _renamed_record(record: Any, names: Mapping[str, str]) -> Any:
    copy = object.__new__(type(record))
    for field in fields(record):
        object.__setattr__(copy, field.name, renamed(getattr(record, field.name), names))
    return copy


def exchange(one: str, other: str) -> dict[str, str]:
    """The renaming that exchanges two names."""
    return {one: other, other: one}
