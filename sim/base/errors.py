"""Errors and exit statuses: the vocabulary in which roundsim says what went wrong.

Every error a user can cause is a `SimError`; its text is one line per mistake and says where it is,
what is wrong and what would be right. Whatever is not a `SimError` is a defect of roundsim.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from enum import IntEnum


class ExitStatus(IntEnum):
    """The exit statuses of the command line; `sentence` is what they mean to the user."""

    AS_EXPECTED = 0
    VIOLATED = 1
    BAD_INPUT = 2
    NONDETERMINISM = 3
    INCOMPLETE = 4
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
    ExitStatus.INTERRUPTED: "interrupted; everything finished so far is kept",
}


class SimError(Exception):
    """A mistake that the user can mend; `mistakes` holds one line for each."""

    def __init__(self, *mistakes: str) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


class TableError(SimError):
    """A process or monitor class whose table or fields cannot work; names the class and the row."""


class ModelError(SimError):
    """A model that breaks a rule while it runs (a value that is none, a send to nobody, ...)."""


class ConfigError(SimError):
    """A configuration, plan or option that does not fit."""


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


def unknown(what: str, given: Iterable[str], known: Sequence[str]) -> list[str]:
    """One line for each name of `given` that is none of `known`: `a system has no 'fault' (did you mean ...`."""
    return [
        f"{what} has no {name!r}{nearest(name, known)}; there are {listing(known, 'and')}"
        for name in given
        if name not in known
    ]


def listing(words: Sequence[str], conjunction: str = "or") -> str:
    """`a, b or c`, for the part of an error that says what would be right."""
    if not words:
        return "nothing"
    if len(words) == 1:
        return words[0]
    return f"{', '.join(words[:-1])} {conjunction} {words[-1]}"
