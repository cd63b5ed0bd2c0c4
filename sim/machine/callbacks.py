"""What a row names: methods, and as guards also fields and attributes of the input that are `bool`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any


def methods(cls: type) -> list[str]:
    """The names of a class that a row may name."""
    return [name for name in dir(cls) if not name.startswith(("_", "on_")) and callable(getattr(cls, name))]


def is_flag(cls: object, name: str) -> bool:
    """Whether instances of `cls` have a field or property `name` that is annotated as `bool`."""
    for base in cls.__mro__ if isinstance(cls, type) else ():
        given: Any = inspect.get_annotations(base).get(name)
        found = vars(base).get(name)
        if isinstance(found, property) and found.fget is not None:
            given = inspect.get_annotations(found.fget).get("return")
        if given is not None:
            return given in (bool, "bool")
    return False


def arity(method: Callable[..., Any]) -> int | None:
    """How many inputs a callback takes after self: 0 or 1; None if it cannot be called that way."""
    every = [*inspect.signature(method).parameters.values()]
    required, parameters = _required(every), every[1:]
    named = any(p.kind is p.KEYWORD_ONLY and p.default is p.empty for p in parameters)
    if required > 2 or required < 1 or named:
        return None
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD, p.VAR_POSITIONAL)]
    return 1 if positional else 0


def required_arguments(method: Callable[..., Any]) -> int:
    """The number of arguments, self included, without which a call fails."""
    return _required(inspect.signature(method).parameters.values())


def _required(parameters: Iterable[inspect.Parameter]) -> int:
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return sum(1 for p in parameters if p.default is p.empty and p.kind not in variable)


def is_verb(cls: type, name: str) -> bool:
    """Whether this is a method of the framework that the class does not replace."""
    return getattr(getattr(cls, name), "__module__", "") == "sim.machine.process"
