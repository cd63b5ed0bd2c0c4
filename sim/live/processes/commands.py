"""The command lines that somebody stands for."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from sim.base.errors import ModelError, listing
from sim.base.values import describe

if TYPE_CHECKING:
    from sim.live.processes.live_process import LiveProcess

StandIn = Callable[["LiveProcess"], Awaitable["int | None"]]
OPERATORS = "();<>|&"
EXPANDED = "$`"
"""What a shell puts something else for."""


class CommandLine(NamedTuple):
    """One of them."""

    words: tuple[str, ...]
    handler: StandIn
    name: str
    """What its processes are called."""

    def fits(self, words: Sequence[str]) -> bool:
        """Whether `words` begin with these. A first word without a folder fits in whatever folder it is found."""
        first, *rest = self.words
        return first in (words[0], os.path.basename(words[0])) and [*words[1 : len(self.words)]] == rest


class Commands:
    """Those of one run."""

    def __init__(self) -> None:
        self._all: dict[tuple[str, ...], CommandLine] = {}

    def add(self, line: object, handler: StandIn, name: str | None) -> str:
        """One more; the name that it has. Raises `ModelError` for what is not a command line, or has a stand-in."""
        words = _declared(line)
        if words in self._all:
            raise ModelError(
                f"world.command: {shlex.join(words)} has a stand-in already; call world.command once for it"
            )
        self._all[words] = CommandLine(words, handler, name or _name(words[0]))
        return self._all[words].name

    def find(self, words: Sequence[str]) -> CommandLine:
        """Which one is meant, the longest of those that fit. Raises `ModelError` for none."""
        fitting = [command for command in self._all.values() if command.fits(words)]
        if not fitting:
            known = [repr(shlex.join(command.words)) for command in self._all.values()]
            others = f"; what has one is {listing(known, 'and')}" if known else ""
            line = shlex.join(words)
            raise ModelError(
                f"the command {line!r} has no stand-in, and a run starts no real process; write world.command({line!r}, handler)"
                f"{others}"
            )
        return max(fitting, key=lambda command: (len(command.words), command.words[0] == words[0]))


def of_shell(line: Any) -> list[str]:
    """The words of a command line for a shell. Raises `ModelError` for what only a shell can do."""
    text = os.fsdecode(line)
    try:
        lexer = shlex.shlex(text, posix=True, punctuation_chars=OPERATORS)
        lexer.whitespace_split, lexer.commenters = True, ""
        tokens, words = [*lexer], shlex.split(text)
    except ValueError as error:
        raise ModelError(f"{text!r} is not a command line: {error}") from None
    operates = any(not {*token} - {*OPERATORS} for token in tokens if token)
    if tokens != words or operates or not words or {*text} & {*EXPANDED}:
        raise ModelError(f"{text!r} needs a shell, which a run has not; start one command with its words")
    return words


def of_words(words: Sequence[Any]) -> list[str]:
    """The words of a command line as texts, as `subprocess.Popen` takes them."""
    return [os.fsdecode(word) for word in words]


def _declared(line: object) -> tuple[str, ...]:
    try:
        words = shlex.split(line) if isinstance(line, str) else of_words(line)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        words = []
    if not words or not words[0]:
        raise ModelError(
            f'world.command: {describe(line)} is not a command line; write its words, such as "npx -y server-fetch"'
        )
    return tuple(words)


def _name(word: str) -> str:
    """What a command is called if nobody says, as a plan can spell it."""
    name = re.sub(r"\W+", "-", os.path.basename(word).partition(".")[0]).strip("-")
    return name if name[:1].isalpha() else "process"
