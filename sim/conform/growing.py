"""Logs that are still being written: what is there is read, and what comes is waited for."""

from __future__ import annotations

import os
import select
import stat
from collections.abc import Callable, Iterator, Sequence

from sim.base.errors import ConfigError
from sim.base.files import unplain
from sim.conform.logged import LINE_MAX, PACKED, STANDARD_INPUT, too_long

WAIT_SECONDS = 0.1
_READ_BYTES = 1 << 16


class GrowingLog:
    """A file that grows, or what comes from a pipe. `ended` is whether no more will come."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.ended = False
        self.number = 0
        self._rest = b""
        self._read = 0
        if mistake := "" if path == STANDARD_INPUT else unplain(path):
            raise ConfigError(mistake)
        try:
            self.fd = 0 if path == STANDARD_INPUT else os.open(path, os.O_RDONLY | os.O_NONBLOCK)
            self.is_pipe = not stat.S_ISREG(os.fstat(self.fd).st_mode)
            self._offset = os.lseek(self.fd, 0, os.SEEK_CUR) if not self.is_pipe else 0
        except OSError as error:
            raise self._unreadable(error) from None

    def close(self) -> None:
        if self.fd:
            os.close(self.fd)

    @property
    def waits(self) -> bool:
        """Whether the last line is not finished."""
        return bool(self._rest)

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """The next whole lines that are there, with their numbers; at the end of a pipe also one that nobody
        finished."""
        data = self._more()
        if not self._read and data.startswith(PACKED):
            how = f"pipe it: zcat {self.path} | sim conform - --follow"
            raise ConfigError(f"{self.path}: is packed, and cannot be followed; {how}")
        self._read += len(data)
        *whole, self._rest = (self._rest + data).split(b"\n")
        for line in whole:
            yield self._numbered(line + b"\n")
        if len(self._rest) > LINE_MAX:
            self._numbered(self._rest)
        if self.ended and self._rest:
            rest, self._rest = self._rest, b""
            yield self._numbered(rest)

    def _numbered(self, line: bytes) -> tuple[int, bytes]:
        self.number += 1
        if len(line) > LINE_MAX:
            raise too_long(f"{self.path}:{self.number}")
        return self.number, line

    def _more(self) -> bytes:
        """What is there now; nothing if more has to be waited for."""
        try:
            if not self.is_pipe:
                data = os.read(self.fd, _READ_BYTES)
                if not data:
                    self._check_grows()
                return data
            if self.ended or not select.select([self.fd], [], [], 0)[0]:
                return b""
            data = os.read(self.fd, _READ_BYTES)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise self._unreadable(error) from None
        self.ended = not data
        return data

    def _check_grows(self) -> None:
        here = os.fstat(self.fd)
        if here.st_size < self._offset + self._read:
            raise ConfigError(f"{self.path}: became shorter while it was followed; follow a log that only grows")
        if self.path == STANDARD_INPUT:
            self.ended = True
            return
        try:
            named = os.stat(self.path)
        except FileNotFoundError:
            named = None
        if named is None or (named.st_dev, named.st_ino) != (here.st_dev, here.st_ino):
            what = "was removed" if named is None else "was replaced by another file"
            raise ConfigError(f"{self.path}: {what} while it was followed; follow a log that keeps its name")

    def _unreadable(self, error: OSError) -> ConfigError:
        return ConfigError(f"{self.path}: cannot be read: {error.strerror or error}; name a log that can")


def follow(
    paths: Sequence[str], take: Callable[[str, int, bytes], bool], is_stopped: Callable[[], bool]
) -> Sequence[GrowingLog]:
    """Give the lines of these logs to `take`, as they come, until it returns true, all have ended, or it is stopped;
    what was read by then is taken. Returns the logs."""
    logs: list[GrowingLog] = []
    try:
        logs += map(GrowingLog, paths)
        while not is_stopped():
            idle = True
            for log in logs:
                for number, text in log.lines():
                    idle = False
                    if take(log.path, number, text):
                        return logs
            if all(log.ended for log in logs):
                break
            if idle:
                select.select([log.fd for log in logs if log.is_pipe and not log.ended], [], [], WAIT_SECONDS)
    finally:
        for log in logs:
            log.close()
    return logs
