"""What `sim conform --follow` does: logs that are still being written are judged line by line."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from sim.base import printing
from sim.base.errors import ConfigError
from sim.cli import options
from sim.conform.conformance import JudgedLog, Judging
from sim.conform.following import Follower
from sim.conform.growing import follow
from sim.conform.listening import Hearing, Listener
from sim.conform.logged import Logged, LogLine, LogReader
from sim.conform.shared_out import RunJudge


class Followed(Protocol):
    """A run that is judged while it goes on."""

    def add(self, line: LogLine) -> bool: ...

    def answer(self, *, ended: bool) -> JudgedLog: ...


class FollowedLog:
    """The runs of logs that are followed. `make` makes the judge once a header has come."""

    def __init__(self, make: Callable[[Logged], RunJudge]) -> None:
        self._make = make
        self._reader = LogReader()
        self._judge: RunJudge | None = None
        self._config: dict[str, object] = {}
        self.runs: dict[str, Followed] = {}
        self.refuted = ""
        self.lines = 0

    def take(self, path: str, number: int, text: bytes) -> bool:
        """One more line; whether that ends it."""
        taken = self._reader.take(path, number, text)
        logged = self._reader.logged
        if self._judge is None:
            self._judge, self._config = self._make(logged), dict(logged.config)
        elif number == 1 and logged.config != self._config:
            raise ConfigError(
                f"{path}:1: configures the model otherwise than the log before it; give logs of one configuration"
            )
        if taken is None:
            return False
        name, line = taken
        if name not in self.runs:
            self.runs[name] = self._begin(name, logged)
        self.lines += 1
        if self.runs[name].add(line):
            self.refuted = name
            self.runs = {name: self.runs[name]}
            return True
        return False

    def _begin(self, name: str, logged: Logged) -> Followed:
        if isinstance(self._judge, Listener):
            return Hearing(self._judge, name)
        assert isinstance(self._judge, Judging)
        return Follower(self._judge, name, logged.observed)

    def answers(self, *, ended: bool) -> list[JudgedLog]:
        """What is said of each run so far."""
        return [run.answer(ended=ended) for run in self.runs.values()]


def followed(paths: Sequence[str], make: Callable[[Logged], RunJudge], *, quiet: bool) -> list[JudgedLog]:
    """Judges these logs until they end, one is refuted, or somebody interrupts."""
    log = FollowedLog(make)
    with _stopped_by_a_signal() as is_stopped, _told(log, quiet=quiet) as tell:

        def take(path: str, number: int, text: bytes) -> bool:
            tell()
            return log.take(path, number, text)

        logs = follow(paths, take, is_stopped)
        ended = all(one.ended for one in logs)
    if not log.lines:
        raise ConfigError(f"{', '.join(paths)}: no line after the header, so nothing was observed; record something")
    if any(one.waits for one in logs):
        printing.err("sim: the last line was not finished, and is not judged")
    return log.answers(ended=ended or bool(log.refuted))


@contextmanager
def _stopped_by_a_signal() -> Iterator[Callable[[], bool]]:
    """Whether an interrupt came; a second one ends the command as it does everywhere."""
    came: list[int] = []

    def note(number: int, _frame: object) -> None:
        came.append(number)
        signal.signal(number, signal.default_int_handler)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(came)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _told(log: FollowedLog, *, quiet: bool) -> Iterator[Callable[[], None]]:
    """On a terminal how many lines were judged; otherwise nothing."""
    with options.counting("lines", None, quiet=quiet) as show:
        yield lambda: show(log.lines)
