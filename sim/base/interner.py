"""Distinct things as small integers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from sim.base.mixer import key64
from sim.base.values import Names, Value, encode

T = TypeVar("T")


class Interner(Generic[T]):
    """Distinct things as small integers, distinguished by their canonical encoding."""

    def __init__(self, value_of: Callable[[T], Value], names: Names, met: Callable[[int, T], None]) -> None:
        self.things: list[T] = []
        self.keys: list[int] = []
        """64 bits of the encoding of each thing: unlike its number, the same in every process."""
        self._ids: dict[bytes, int] = {}
        self._value_of = value_of
        self._names = names
        self._met = met

    def __call__(self, thing: T) -> int:
        code = encode(self._value_of(thing), self._names)
        known = self._ids.get(code)
        if known is not None:
            return known
        number = self._ids[code] = len(self.things)
        self.things.append(thing)
        self.keys.append(key64(code))
        self._met(number, thing)
        return number

    def __len__(self) -> int:
        return len(self.things)
