"""Fields that nothing ever sets after the start: what a machine was configured with."""

from __future__ import annotations

import dis
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from types import CodeType, FunctionType
from typing import Any

from sim.machine.table import Table


@cache
def constant_fields(cls: Any) -> frozenset[str]:
    """The fields of a machine's class that no code of it sets: its own, and that of the functions beside it, which may be
    given the machine. Code that sets attributes by computed names could set any, so then there are none."""
    table: Table = cls.table
    classes = [one for one in cls.__mro__ if one is not object and one.__module__ != "sim.machine.process"]
    own = [*_code_of(thing for one in classes for thing in vars(one).values())]
    modules = [sys.modules[name] for name in {one.__module__: None for one in classes} if name in sys.modules]
    beside = [*_code_of(thing for module in modules for thing in vars(module).values())]
    written: set[str] = set()
    for code in (*own, *beside):
        if "setattr" in code.co_names or "__setattr__" in code.co_names:
            return frozenset()
        written |= _attributes_set(code)
    for code in own:  # names of keyword arguments, as in `self.emit(Applied(key), applied=...)`
        written.update(
            name for const in code.co_consts if isinstance(const, tuple) for name in const if isinstance(name, str)
        )
    return frozenset(table.fields) - written


@cache
def _attributes_set(code: CodeType) -> frozenset[str]:
    return frozenset(str(one.argval) for one in dis.get_instructions(code) if one.opname == "STORE_ATTR")


def _code_of(things: Iterable[object]) -> Iterator[CodeType]:
    """The code of the functions among these, and of what is defined in them."""
    waiting = [thing.__code__ for thing in things if isinstance(thing, FunctionType)]
    while waiting:
        code = waiting.pop()
        yield code
        waiting += [const for const in code.co_consts if isinstance(const, CodeType)]
