"""Values of a log made into values of Python, by the annotation of the field that they are for."""

from __future__ import annotations

from enum import Enum
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from sim.base.values import Record


def revived(owner: type, name: str, value: Any) -> Any:
    """The value that this field of `owner` has where a log says `value`. Raises `ValueError` where there is none."""
    return _revived(get_type_hints(owner).get(name, Any), value)


def _revived(wanted: Any, value: Any) -> Any:
    origin, inner = get_origin(wanted), get_args(wanted)
    if origin in (Union, UnionType):
        if value is None:
            return None
        return _first([one for one in inner if one is not type(None)], value)
    if isinstance(wanted, type) and issubclass(wanted, Enum):
        if value not in wanted.__members__:
            raise ValueError(f"{value!r} is not one of {', '.join(wanted.__members__)}")
        return wanted[value]
    if isinstance(wanted, type) and issubclass(wanted, Record) and isinstance(value, dict):
        return wanted(**{name: revived(wanted, name, one) for name, one in value.items()})
    if isinstance(value, list):
        if origin is tuple and (len(inner) != 2 or inner[1] is not Ellipsis):
            if len(inner) != len(value):
                raise ValueError(f"{value!r} has {len(value)} items; expected {len(inner)}")
            return tuple(map(_revived, inner, value))
        items = [_revived(inner[0] if inner else Any, one) for one in value]
        return frozenset(items) if (origin or wanted) is frozenset else tuple(items)
    return value


def _first(kinds: list[Any], value: Any) -> Any:
    """Of a union the first that it can be."""
    for kind in kinds:
        try:
            found = _revived(kind, value)
        except (ValueError, TypeError):
            continue
        if not isinstance(kind, type) or isinstance(found, kind):
            return found
    return value
