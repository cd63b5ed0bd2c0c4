"""Errors and exit statuses: the vocabulary in which roundsim says what went wrong.

Every error a user can cause is a `SimError`; its text is one line per mistake and says where it is,
what is wrong and what would be right. Whatever is not a `SimError` is a defect of roundsim.
"""

from __future__ import annotations

import copyreg
import difflib
from collections.abc import Callable, Iterable, Sequence
from enum import IntEnum
from traceback import walk_tb
from typing import Any

BRIEF = 60
"""Characters of a quoted text that an error shows."""
GONE = "the working directory was deleted; change to another one"


class ExitStatus(IntEnum):
    """The exit statuses of the command line; `sentence` is what they mean to the user."""

    AS_EXPECTED = 0
    VIOLATED = 1
    BAD_INPUT = 2
    NONDETERMINISM = 3
    INCOMPLETE = 4
    DEFECT = 70
    INTERRUPTED = 130

    @property
    def sentence(self) -> str:
        return _SENTENCES[self]


_SENTENCES = {
    ExitStatus.AS_EXPECTED: "as expected",
    ExitStatus.VIOLATED: "a property is violated or an expectation is missed",
    ExitStatus.BAD_INPUT: "bad input",
    ExitStatus.NONDETERMINISM: "two runs of the same thing differ",
    ExitStatus.INCOMPLETE: "a bound was hit before there was an answer",
    ExitStatus.DEFECT: "a defect of roundsim",
    ExitStatus.INTERRUPTED: "interrupted; everything finished so far is kept",
}


class SimError(Exception):
    """A mistake that the user can fix; `mistakes` holds one line for each."""

    def __init__(self, *mistakes: str) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes

    def __reduce__(self) -> tuple[Any, ...]:
        """As it is, in another process: what a subclass is made of is its own."""
        return copyreg.__newobj__, (type(self), *self.args), vars(self)  # type: ignore[attr-defined]


class DefectError(Exception):
    """A defect of ours that another process met: its text says all that is said of it."""


class TableError(SimError):
    """A process or monitor class whose table or fields cannot work; names the class and the row."""


class ModelError(SimError):
    """A model that breaks a rule while it runs (something that is not a value, a send to an unknown process, ...)."""


class RefusedError(ModelError):
    """A program calls what cannot be simulated: where, what, and what to use instead."""


class ConfigError(SimError):
    """A configuration, plan or option that is not valid."""


class ScenarioError(SimError):
    """A scenario file with mistakes in it, each as `file:line:column: what; what would be right`."""


class DivergenceError(SimError):
    """A schedule that does not fit its system: at which step, and why; `item` is the index of the item of
    the schedule that does not fit."""

    def __init__(self, mistake: str, item: int) -> None:
        super().__init__(mistake)
        self.item = item


class NondeterminismError(SimError):
    """Two runs of the same thing differ: where, and how."""


def nearest(word: str, known: Iterable[str]) -> str:
    """` (did you mean 'x'?)` for the known word nearest to `word`, or an empty string."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" (did you mean {close[0]!r}?)" if close else ""


def unknown(kind: str, name: object, known: Iterable[str]) -> str:
    """`unknown engine 'dusk' (did you mean 'dask'?): use local, dask or ray`, the one form for a name that is
    not among the known ones."""
    names = list(known)
    right = f"use {listing(names)}" if names else "none is declared"
    return f"unknown {kind} {brief(name) if isinstance(name, str) else repr(name)}{nearest(str(name), names)}: {right}"


def brief(text: str) -> str:
    """`text` in quotes, cut to a length that leaves the rest of the line readable."""
    return repr(text if len(text) <= BRIEF else text[: BRIEF - 3] + "...")


def text_of(thing: object, make: Callable[[object], str] = str) -> str:
    """What anybody's object says of itself, as text that can be stored. An object that fails to say it is named by its
    class."""
    try:
        text = make(thing)
    except (KeyboardInterrupt, MemoryError):
        raise
    except BaseException:
        return f"an object of {type(thing).__name__} whose text cannot be made"
    return text.encode(errors="backslashreplace").decode()


def failure(error: BaseException) -> str:
    """`TypeError: ...`: what code of the user's has raised. What is not its doing is raised again: an interrupt, and the
    end of the memory."""
    if isinstance(error, KeyboardInterrupt | MemoryError):
        raise error
    said = _TOO_DEEP if isinstance(error, RecursionError) else text_of(error)
    return f"{type(error).__name__}: {said}"


def defect(error: BaseException) -> str:
    """What is said of an error of ours, not of the user's."""
    if isinstance(error, DefectError):
        return str(error)
    places = [f"{frame.f_code.co_filename.rpartition('/')[2]}:{line}" for frame, line in walk_tb(error.__traceback__)]
    told = f"{type(error).__name__}: {text_of(error)} ({' < '.join(reversed(places[-3:]))})"
    return f"a defect of roundsim: {told}; report it with what PYTHONDEVMODE=1 shows"


_TOO_DEEP = "maximum recursion depth exceeded"
"""Python adds what it was doing at that moment, which depends on how deep it was at the start."""


def listing(words: Sequence[str], conjunction: str = "or") -> str:
    """`a, b or c`, for the part of an error that says what would be right."""
    if not words:
        return "nothing"
    if len(words) == 1:
        return words[0]
    return f"{', '.join(words[:-1])} {conjunction} {words[-1]}"
