"""Annotations, held against values: whether what a field holds is what its class says.

Only what is surely wrong is refused. An annotation that cannot be resolved, or says nothing about values, is not
checked. It is read as a type checker reads it, with one exception: a bool is not an `int`, because 1 and True are two
values, and would make two states of one.
"""

from __future__ import annotations

import inspect
import sys
import types
import typing
from collections.abc import Callable, Collection, Iterator
from functools import cache
from typing import Any

from sim.base.values import Value, field_names, is_record, show

Check = Callable[[Value], bool]
"""Whether a value is what an annotation says."""
Words = Callable[[Value], str]
"""What is said of a value: the function in `Annotated[tuple[int, int], words]`."""

SHOWN = 40
"""Characters of a wrong value that are shown."""


class Annotation:
    """What the class says of one field."""

    __slots__ = ("admits", "said", "type", "words")

    def __init__(self, cls: type, given: Any) -> None:
        self.type = _resolved(cls, given)
        self.words: Words | None = _words(_resolved(cls, given, whole=True))
        """What is said of its value to people; None if it is shown as any value is."""
        self.said = given if isinstance(given, str) else inspect.formatannotation(given)
        self.admits: Check = _check(self.type)


def annotation_of(cls: type, name: str) -> Any:
    """The type that `cls` gives a field; `Any` if there is none, or it cannot be resolved."""
    found = annotations_of(cls).get(name)
    return Any if found is None else found.type


@cache
def annotations_of(cls: type) -> dict[str, Annotation]:
    """The annotations of a class and its bases, by name. They are resolved when they are first asked for: a module may
    define below a class what the class mentions."""
    found: dict[str, Annotation] = {}
    for base in reversed(cls.__mro__):
        for name, given in inspect.get_annotations(base).items():
            found[name] = Annotation(base, given)
    return found


def mismatches(owner: type, name: str, value: Value) -> Iterator[str]:
    """`Ping.n is 'x' (str); expected int`, if the field `name` of `owner` may not hold `value`; and the same for every
    record in it."""
    annotation = annotations_of(owner).get(name)
    if annotation is not None and not annotation.admits(value):
        yield f"{owner.__name__}.{name} is {_shown(value)}; expected {annotation.said}"
    elif type(value) not in _ALONE:
        yield from within_value(value)


def within_value(value: Value) -> Iterator[str]:
    """What is wrong with the fields of the records in a value."""
    if isinstance(value, tuple | frozenset):
        for item in value:
            if type(item) not in _ALONE:
                yield from within_value(item)
    elif is_record(value):
        kind: Any = type(value)
        for name in field_names(kind):
            yield from mismatches(kind, name, getattr(value, name))


_ALONE = frozenset({bool, int, str, bytes, type(None)})
"""Classes of values that nothing is in."""


def _shown(value: Value) -> str:
    if value is None:
        return "None"
    text = repr(value) if isinstance(value, str) else show(value)
    return f"{text if len(text) <= SHOWN else text[: SHOWN - 3] + '...'} ({type(value).__name__})"


def field_in_words(owner: type, name: str, value: Value) -> str | None:
    """What the field `name` of `owner` says of its value, if it is annotated with a function that says it. A function
    that cannot say it is not asked to: a report shows whatever there is."""
    annotation = annotations_of(owner).get(name)
    if annotation is None or annotation.words is None:
        return None
    try:
        said = annotation.words(value)
    except Exception:
        return None
    return said if isinstance(said, str) else None


def fields_in_words(record: Any) -> tuple[dict[str, str], tuple[str, ...]]:
    """The fields of a record as people read them, and the names of those that are told in words of their own."""
    kind: Any = type(record)
    words = {name: field_in_words(kind, name, getattr(record, name)) for name in field_names(kind)}
    texts = {name: show(getattr(record, name)) if said is None else said for name, said in words.items()}
    return texts, tuple(name for name, said in words.items() if said is not None)


def _words(annotation: Any) -> Words | None:
    """The function among what is said of a type in an annotation."""
    if typing.get_origin(annotation) is not typing.Annotated:
        return None
    return next((one for one in annotation.__metadata__ if isinstance(one, types.FunctionType)), None)


def _resolved(cls: type, given: Any, *, whole: bool = False) -> Any:
    """An annotation that is a string means what it would mean in the module of its class; `whole`: with what is said
    of the type besides."""
    module = sys.modules.get(cls.__module__)
    alone = type("Alone", (), {"__annotations__": {"field": given}})  # one that fails spoils no other
    try:
        known = vars(module) if module is not None else {}
        return typing.get_type_hints(alone, known, dict(vars(cls)), include_extras=whole)["field"]
    except Exception:  # it names what only a type checker knows
        return Any


def _check(annotation: Any) -> Check:
    """Whether a value is of this type; always, for a type that says nothing about values."""
    if annotation is None or annotation is type(None):
        return _is_none
    if annotation is int:
        return _is_int
    if annotation is Any:
        return _anything
    if annotation is float:
        return lambda value: isinstance(value, float) or _is_int(value)
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        options = [_check(option) for option in inner]
        return lambda value: any(option(value) for option in options)
    if origin is typing.Literal:
        return lambda value: any(type(option) is type(value) and option == value for option in inner)
    if origin is typing.Final:
        return _check(inner[0])
    if origin is tuple:
        return _tuple_check(inner)
    if isinstance(origin, type) and len(inner) == 1 and issubclass(origin, Collection):
        return _collection_check(origin, _check(inner[0]))
    if isinstance(annotation, typing.NewType):
        return _check(annotation.__supertype__)
    return _class_check(origin or annotation)


def _is_none(value: Value) -> bool:
    return value is None


def _is_int(value: Value) -> bool:
    return isinstance(value, int) and type(value) is not bool


def _anything(_: Value) -> bool:
    return True


def _class_check(kind: Any) -> Check:
    """An instance of this class; protocols are not asked, they may look at anything."""
    if not isinstance(kind, type) or getattr(kind, "_is_protocol", False):
        return _anything
    return lambda value: isinstance(value, kind)


def _collection_check(kind: Any, item: Check) -> Check:
    def check(value: Value) -> bool:
        return isinstance(value, kind) and all(map(item, value))

    return check


def _tuple_check(inner: tuple[Any, ...]) -> Check:
    if len(inner) == 2 and inner[1] is ...:
        return _collection_check(tuple, _check(inner[0]))
    if any(typing.get_origin(one) is typing.Unpack or isinstance(one, typing.TypeVarTuple) for one in inner):
        return _class_check(tuple)
    items = [_check(one) for one in inner]

    def check(value: Value) -> bool:
        return (
            isinstance(value, tuple)
            and len(value) == len(items)
            and all(c(v) for c, v in zip(items, value, strict=True))
        )

    return check
