"""Fields that nothing ever sets after the start: what a machine was configured with."""

from __future__ import annotations

import dis
import sys
from collections.abc import Iterator
from functools import cache
from types import CodeType, FunctionType
from typing import Any

from sim.machine.table import Table


@cache
def constant_fields(cls: Any) -> frozenset[str]:
    """The fields of a machine's class that no code of it sets: its own and that of the functions beside it. Code that sets
    attributes by computed names could set any, so then there are none."""
    table: Table = cls.table
    written: set[str] = set()
    for code in _code_of(cls):
        if "setattr" in code.co_names or "__setattr__" in code.co_names:
            return frozenset()
        written.update(str(one.argval) for one in dis.get_instructions(code) if one.opname == "STORE_ATTR")
        # names of keyword arguments, as in `self.emit(Applied(key), applied=...)`
        written.update(
            name for const in code.co_consts if isinstance(const, tuple) for name in const if isinstance(name, str)
        )
    return frozenset(table.fields) - written


def _code_of(cls: type) -> Iterator[CodeType]:
    """All code of a class and its bases, and of the modules that they are in, except the framework's."""
    own = [one for one in cls.__mro__ if one is not object and not one.__module__.startswith("sim.machine.process")]
    places = [*own, *(sys.modules.get(one.__module__) for one in own)]
    functions = (thing for place in places if place is not None for thing in vars(place).values())
    waiting = [thing.__code__ for thing in functions if isinstance(thing, FunctionType)]
    while waiting:
        code = waiting.pop()
        yield code
        waiting += [const for const in code.co_consts if isinstance(const, CodeType)]
