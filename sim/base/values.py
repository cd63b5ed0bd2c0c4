"""Values: what a process, a message or an emission may consist of, and their one canonical encoding.

A value is None, a bool, an int, a str, bytes, an Enum member, a tuple, a frozenset or a `Record` of
values. Floats and objects compared by identity are not values: they would make equal states unequal, or one state two
in another process. Python's own equality is too coarse for states (1 == True == 1.0), so states are compared, ordered
and digested by `encode`, which tags every value with its type.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import Field, dataclass, fields, is_dataclass
from enum import Enum
from functools import cache, lru_cache
from typing import Any, ClassVar, TypeVar, cast, dataclass_transform

from sim.base.errors import ModelError, text_of

T = TypeVar("T")

Value = Any
"""A value in the sense of this module; Python's type system cannot say it."""


@dataclass_transform(frozen_default=True)
class Record:
    """A frozen record of values; subclass it and annotate its fields.

        >>> class Point(Record):
        ...     x: int
        ...     y: int = 0
        >>> Point(1)
        Point(x=1, y=0)

    Two records are equal if they are of one class and their fields are.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        _check_defaults(cls)
        dataclass(frozen=True)(cls)


_GIVEN = (bool, int, str, bytes, tuple, frozenset, list, dict, set, float)
"""What a field's default may be, or be meant to be."""


def _check_defaults(cls: type) -> None:
    """Refuses defaults that are not values, before the dataclass advises a factory for them, and what looks like a
    field but is not annotated."""
    annotated = {name for base in cls.__mro__ for name in vars(base).get("__annotations__", {})}
    mistakes = [
        f"{cls.__name__}: {name} is not annotated, so it is not a field: write `{name}: {type(value).__name__} = ...`"
        for name, value in vars(cls).items()
        if type(value) in _GIVEN and name.islower() and not name.startswith("_") and name not in annotated
    ]
    for name, annotation in vars(cls).get("__annotations__", {}).items():
        default = vars(cls).get(name)
        if "ClassVar" in str(annotation) or default is None or isinstance(default, Field):
            continue
        try:
            freeze(default)
        except ModelError as error:
            mistakes.append(f"{cls.__name__}: field {name}: {error}")
    if mistakes:
        raise ModelError(*mistakes)


class Message(Record):
    """What processes send each other; a row of a table is triggered by its type."""


class Emission(Record):
    """Something observable that a process did; monitors are triggered by its type."""


class Fault(Record):
    """What a process is given instead of a message that is delivered under a domain fault.

    `message` is the message that the fault struck. A subclass names its `kind` as plans spell it, and
    says whether the message `survives`, to arrive later after all.
    """

    kind: ClassVar[str] = ""
    survives: ClassVar[bool] = False

    message: Message


class SortedSet(frozenset[T]):
    """A frozenset that iterates in canonical order: the only form in which a handler meets one.

    Iteration order of a plain frozenset depends on `PYTHONHASHSEED`; a model that iterates over one
    would behave differently from process to process.
    """

    def __iter__(self) -> Iterator[T]:
        order: list[T] | None = self.__dict__.get("_order")
        if order is None:
            order = self.__dict__["_order"] = sorted(frozenset.__iter__(self), key=encode)
        return iter(order)

    def __or__(self, other: Any) -> Any:
        return _sorted(frozenset.__or__(self, other))

    def __and__(self, other: Any) -> Any:
        return _sorted(frozenset.__and__(self, other))

    def __sub__(self, other: Any) -> Any:
        return _sorted(frozenset.__sub__(self, other))

    def __xor__(self, other: Any) -> Any:
        return _sorted(frozenset.__xor__(self, other))

    __ror__, __rand__, __rxor__ = __or__, __and__, __xor__

    def __rsub__(self, other: Any) -> Any:
        return _sorted(frozenset(other) - frozenset(frozenset.__iter__(self)))

    def union(self, *others: Iterable[Any]) -> Any:
        return _sorted(frozenset.union(self, *others))

    def intersection(self, *others: Iterable[Any]) -> Any:
        return _sorted(frozenset.intersection(self, *others))

    def difference(self, *others: Iterable[Any]) -> Any:
        return _sorted(frozenset.difference(self, *others))

    def symmetric_difference(self, other: Iterable[Any]) -> Any:
        return _sorted(frozenset.symmetric_difference(self, other))

    def copy(self) -> SortedSet[T]:
        return self

    def __repr__(self) -> str:
        return "{" + ", ".join(map(repr, self)) + "}" if self else "{}"


def _sorted(result: Any) -> Any:
    return SortedSet(result) if isinstance(result, frozenset) else result


INT_BITS_MAX = 2_048
"""So that its digits can be shown and read again whatever Python's own limit is, which is 640 of them or more."""
DEPTH_MAX = 64


def freeze(value: Value, depth: int = 0) -> Value:
    """`value` with every frozenset in it made a `SortedSet`; `depth` is in how many others it is.

    Raises `ModelError` with what would be right if it, or anything in it, is not a value.
    """
    kind = type(value)
    if value is None or kind in _PLAIN or _is_member(value):
        return value
    if kind is int:
        if value.bit_length() > INT_BITS_MAX:
            raise ModelError(
                f"an integer of {value.bit_length():,} bits is not a value: it has at most {INT_BITS_MAX:,}"
            )
        return value
    if depth > DEPTH_MAX:
        raise ModelError(f"what is nested more than {DEPTH_MAX} deep is not a value: refer to parts by name")
    if kind is tuple:
        return tuple([freeze(item, depth + 1) for item in value])
    if kind is frozenset or kind is SortedSet:
        return SortedSet([freeze(item, depth + 1) for item in frozenset.__iter__(value)])
    if is_record(value):
        return _freeze_record(value, depth + 1)
    raise ModelError(f"{describe(value)} is not a value: {_advice(value)}")


_PLAIN = frozenset({bool, str, bytes})


def _freeze_record(record: Any, depth: int) -> Any:
    frozen = {f.name: freeze(getattr(record, f.name), depth) for f in fields(record)}
    if all(frozen[name] is getattr(record, name) for name in frozen):
        return record
    copy = object.__new__(type(record))
    for name, value in frozen.items():
        object.__setattr__(copy, name, value)
    return copy


def _is_member(value: object) -> bool:
    """Whether `value` is a named member of an Enum; a combination of flags is not."""
    return isinstance(value, Enum) and value.name in type(value).__members__


def is_record(value: object) -> bool:
    """Whether `value` is an instance of a frozen dataclass, as every `Record` is."""
    kind: Any = type(value)
    return not isinstance(value, type) and _is_frozen(kind)


@cache
def _is_frozen(kind: Any) -> bool:
    return is_dataclass(kind) and bool(cast(Any, kind).__dataclass_params__.frozen)


_ADVICE: dict[type, str] = {
    float: "use an integer (of a smaller unit) or a ratio of two",
    list: "use a tuple",
    set: "use a frozenset",
    bytearray: "use bytes",
    dict: "use a frozenset or a tuple of pairs",
}


def _advice(value: object) -> str:
    for kind, advice in _ADVICE.items():
        if isinstance(value, kind):
            return advice
    if isinstance(value, type):
        return "a class is not data"
    if isinstance(value, Enum):
        return "a combination of flags has no name; use a frozenset of members"
    for base in (bool, int, str, bytes, tuple, frozenset):
        if isinstance(value, base):
            return f"it is a subclass of {base.__name__}: use {base.__name__} itself, or a Record"
    if is_dataclass(value):
        return "make the dataclass frozen, or a Record"
    return (
        "use None, bool, int, str, bytes, Enum members, tuples, frozensets, or Records of these "
        "(what is compared by identity cannot be part of a state)"
    )


def describe(value: object) -> str:
    """A wrong value in words, without any address in memory."""
    kind = type(value).__name__
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if isinstance(value, float | list | set | dict | bytearray | str | int | tuple):
        text = text_of(value, repr)
        return f"{text if len(text) <= 40 else text[:37] + '...'} ({kind})"
    return f"a {kind}"


def encode(value: Value, names: Names | None = None) -> bytes:
    """The canonical, type-tagged encoding of a value.

    Two values have the same encoding exactly if they are the same value; the encodings of ints, strings
    and tuples of them sort as the values do. Classes count by their bare name: a system may not use
    two classes of one name, which `names` ensures if given, and a class may move between modules.
    """
    kind: Any = type(value)
    if kind is tuple:
        return b"T" + b"".join([encode(item, names) for item in value]) + _END
    if kind is str:
        return _code_of_str(value)
    if kind is int:
        return _code_of_int(value)
    if kind is bool:
        return b"B1" if value else b"B0"
    if value is None:
        return b"N"
    if kind is bytes:
        return b"Y" + _text(value)
    known = names.code_of(value) if names is not None else None
    if known is not None:
        return known
    if isinstance(value, frozenset):
        code = b"F" + b"".join(sorted([encode(item, names) for item in frozenset.__iter__(value)])) + _END
    elif _is_member(value):
        code = b"E" + _text(kind.__name__.encode()) + _text(value.name.encode())
    elif is_record(value):
        head, coded = _record_code(kind)
        code = head + b"".join([part + encode(getattr(value, name), names) for name, part in coded]) + _END
    else:
        raise ModelError(f"{describe(value)} is not a value: {_advice(value)}")
    if names is not None:
        names.note(value, kind, code)
    return code


_END = b"\x00"
KNOWN_MAX = 1 << 14
"""How many encodings are remembered at a time."""


@lru_cache(KNOWN_MAX)
def _code_of_str(value: str) -> bytes:
    return b"S" + _text(value.encode(errors="surrogatepass"))


@lru_cache(KNOWN_MAX)
def _code_of_int(value: int) -> bytes:
    size = (value.bit_length() + 7) // 8
    length = size.to_bytes(4, "big")
    if value >= 0:
        return b"Ip" + length + value.to_bytes(size, "big")
    flipped = (-value).to_bytes(size, "big")  # smaller is larger in size: both size and digits are complemented
    return b"Im" + bytes(255 - b for b in length) + bytes(255 - b for b in flipped)


@cache
def _record_code(kind: Any) -> tuple[bytes, tuple[tuple[str, bytes], ...]]:
    """What all records of a class share: how they begin, and each field with the code of its name."""
    coded = tuple((field.name, _text(field.name.encode())) for field in fields(kind))
    return b"R" + _text(kind.__name__.encode()), coded


def _text(raw: bytes) -> bytes:
    """Self-delimiting and order-preserving: zero bytes are escaped, a zero byte ends the text."""
    return raw.replace(b"\x00", b"\x00\xff") + b"\x00\x01"


class Names:
    """Ensures that no two record or Enum classes of one system share a bare name.

    Addresses and encodings name a class by its bare name, so that moving it between modules changes
    no digest; two classes of one name would then be one.
    """

    def __init__(self) -> None:
        self._classes: dict[str, type] = {}
        self._codes: dict[int, tuple[Value, bytes]] = {}

    def code_of(self, value: Value) -> bytes | None:
        """The encoding of a value that was met lately, which is most of a state: it is as it was a step before."""
        known = self._codes.get(id(value))
        return None if known is None else known[1]

    def note(self, value: Value, kind: type, code: bytes) -> None:
        """Remember the encoding of a record, a member of an Enum or a set."""
        if not isinstance(value, frozenset):
            self.admit(kind)
        if len(self._codes) >= KNOWN_MAX:
            self._codes.clear()
        self._codes[id(value)] = value, code  # which keeps the value: no other can have its identity

    def admit(self, kind: type) -> None:
        """Note a class; raises `ModelError` at the second one of its name."""
        known = self._classes.setdefault(kind.__name__, kind)
        if known is not kind:
            raise ModelError(
                f"two classes are named {kind.__name__} ({known.__module__}.{known.__qualname__} and "
                f"{kind.__module__}.{kind.__qualname__}): rename one"
            )


def show(value: Value) -> str:
    """A value as traces and addresses print it; never an address in memory, never hash order."""
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, str):
        return value if value.isidentifier() and value not in _RESERVED else repr(value)
    if type(value) is tuple:
        return "(" + ", ".join(map(show, value)) + ("," if len(value) == 1 else "") + ")"
    if isinstance(value, frozenset):
        return "{" + ", ".join(map(show, SortedSet(value))) + "}"
    if is_record(value):
        inner = ", ".join(f"{name}={text}" for name, text in shown_fields(value).items())
        return f"{type(value).__name__}({inner})" if inner else type(value).__name__
    return repr(value)


_RESERVED = frozenset({"None", "True", "False"})


def shown_fields(record: Any) -> dict[str, str]:
    """The fields of a record, each as `show` prints it, in their declared order."""
    return {f.name: show(getattr(record, f.name)) for f in fields(record)}
