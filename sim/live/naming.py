"""What things are called: by what they are, so that a name outlives edits elsewhere. No line numbers, no counters of
tasks made before."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NamedTuple

_STDLIB = os.path.dirname(os.__file__)
_OTHERS = ("site-packages", "dist-packages")
_OURS = os.path.join(Path(__file__).parents[1], "")
_LOCALS = re.compile(r".*<locals>\.")
_AWAITED = ("cr_await", "gi_yieldfrom", "ag_await")


class Whereabouts(NamedTuple):
    """Where a task waits: a coroutine, and the line at which it does."""

    name: str
    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.name} ({self.file}:{self.line})"


def bare(qualname: str) -> str:
    """`Pool.acquire` of `test_pool.<locals>.Pool.acquire`."""
    return _LOCALS.sub("", qualname).replace(" ", "")


def is_own(code: CodeType) -> bool:
    """Whether this is somebody's code, and not the standard library's or ours."""
    known = _own.get(id(code))
    if known is None:
        known = _own[id(code)] = code, _is_own(code)
    return known[1]


_own: dict[int, tuple[CodeType, bool]] = {}
"""By where it is: code hashes slowly, and while it is kept here nothing else is there."""


def _is_own(code: CodeType) -> bool:
    file = code.co_filename
    if file.startswith(_STDLIB):
        return any(other in file for other in _OTHERS)
    return not file.startswith(("<frozen", _OURS))


def chain(awaited: Any) -> Iterator[Any]:
    """The coroutines from this one inwards, each of which waits for the next."""
    while awaited is not None and (code_of(awaited) is not None):
        yield awaited
        awaited = next((found for name in _AWAITED if (found := getattr(awaited, name, None)) is not None), None)


def code_of(coroutine: Any) -> CodeType | None:
    """The code of a coroutine or generator; None of anything else that can be awaited."""
    code = getattr(coroutine, "cr_code", None) or getattr(coroutine, "gi_code", None)
    return code if isinstance(code, CodeType) else None


def waits(coroutine: Any) -> Any:
    """The innermost coroutine of somebody's own code, or else the outermost. It is asked before everything that runs, so it
    goes the usual way of `chain` by hand."""
    found = at = coroutine
    while True:
        try:
            at = at.cr_await
            code = at.cr_code
        except AttributeError:  # a generator among coroutines, or what is no coroutine
            for one in chain(at):
                code = code_of(one)
                if code is not None and is_own(code):
                    found = one
            return found
        if is_own(code):
            found = at


def spot_of(coroutine: Any) -> Whereabouts:
    """Where `coroutine`, which is suspended or has not begun, will go on."""
    at = waits(coroutine)
    code = code_of(at)
    if code is None:
        return Whereabouts(type(coroutine).__name__, "", 0)
    frame = getattr(at, "cr_frame", None) or getattr(at, "gi_frame", None)
    if frame is not None:
        return spot_in(frame)
    return Whereabouts(bare(code.co_qualname), Path(code.co_filename).name, code.co_firstlineno)


def spot_in(frame: FrameType) -> Whereabouts:
    """Where this frame stands."""
    code = frame.f_code
    return Whereabouts(bare(code.co_qualname), Path(code.co_filename).name, frame.f_lineno or code.co_firstlineno)


def innermost(coroutine: Any) -> str:
    """The name of the innermost coroutine that has a public one, whoever's it is: `Queue.get`, `Lock.acquire`, `wait`."""
    names = [bare(code.co_qualname) for one in chain(coroutine) if (code := code_of(one)) is not None]
    public = [name for name in names if not name.rpartition(".")[2].startswith("_")]
    return (public or names or [""])[-1]


def called(callback: Any) -> str:
    """What a callback is called: `Protocol.timeout_reached`."""
    inner = callback
    while hasattr(inner, "func"):
        inner = inner.func
    name = getattr(inner, "__qualname__", None) or type(inner).__name__
    return bare(name)


def plain(name: str) -> str:
    """What a program calls a task, as a plan and an address can spell it."""
    return _ODD.sub("-", name) or "-"


_ODD = re.compile(r"[^\w./-]+|-(?=>)")


class TaskNames:
    """The names of one run. The first of a name has it alone, the second is `name#2`."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def new(self, base: str) -> str:
        """The next name of this base."""
        count = self._counts[base] = self._counts.get(base, 0) + 1
        return base if count == 1 else f"{base}#{count}"

    def give_back(self, name: str, base: str) -> None:
        """A name of this base is not used; the next may have it, if it is the last."""
        count = self._counts[base]
        if name == (base if count == 1 else f"{base}#{count}"):
            self._counts[base] = count - 1


def is_named(name: str, target: str) -> bool:
    """Whether `target`, in a plan, means this one: by its whole name, or all that have it but for their numbers."""
    return target in (name, _NUMBER.sub("", name))


_NUMBER = re.compile(r"#\d+$")
