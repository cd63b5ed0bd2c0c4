"""Values in a log: how they are written, and whether what is written fits a value of the model.

What is written may say less than the value, as an address may: of a record it may name some fields only, and any value
may be written as it prints.
"""

from __future__ import annotations

from dataclasses import fields
from enum import Enum
from typing import Any

from sim.base.values import SortedSet, Value, is_record, show


def written(value: Value) -> Any:
    """A value as JSON."""
    if value is None or isinstance(value, bool | int):
        return show(value) if isinstance(value, Enum) else value
    if isinstance(value, str) and not isinstance(value, Enum):
        return value
    if type(value) is tuple:
        return [written(one) for one in value]
    if isinstance(value, frozenset):
        return [written(one) for one in SortedSet(value)]
    if is_record(value):
        return {f.name: written(getattr(value, f.name)) for f in fields(value)}
    return show(value)


def written_fields(record: Any) -> dict[str, Any]:
    """The fields of a message or emission, each as JSON."""
    return {f.name: written(getattr(record, f.name)) for f in fields(record)}


def fits(pattern: Any, value: Value) -> bool:
    """Whether what is written may mean this value."""
    if isinstance(pattern, str):
        return pattern == value if type(value) is str and pattern == value else pattern == show(value)
    if pattern is None or isinstance(pattern, bool):
        return value is pattern
    if isinstance(pattern, int):
        return type(value) is int and value == pattern
    if isinstance(pattern, list):
        if isinstance(value, frozenset):
            value = tuple(SortedSet(value))
        return type(value) is tuple and len(value) == len(pattern) and all(map(fits, pattern, value))
    if isinstance(pattern, dict) and is_record(value):
        names = {f.name for f in fields(value)}
        return all(name in names and fits(one, getattr(value, name)) for name, one in pattern.items())
    return False
