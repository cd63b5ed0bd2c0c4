"""Files that code of a run has opened by `os.open`, for writing. Such a number is closed by nobody if the code is left where it
stands; the operating system does it where a process ends, and so here."""

from __future__ import annotations

import os
from importlib import import_module
from importlib.util import find_spec
from typing import Any

Which = tuple[int, int]


class LeftOpen:
    """Those of one run that are open."""

    def __init__(self) -> None:
        self._files: dict[int, tuple[str, Which]] = {}

    def opened(self, number: int, owner: str) -> None:
        """This file was opened, for `owner`."""
        self._files[number] = owner, _which(number)

    def forget(self, number: Any) -> None:
        """It is closed, or an object has it that closes it."""
        self._files.pop(number, None)

    def lose(self, owner: str) -> None:
        """A process has ended: what it has locked is free. The number stays taken until the run is over, as code that is
        left may still close it."""
        for number, (whose, which) in self._files.items():
            if whose == owner and _is(number, which) and find_spec("fcntl"):
                fcntl = import_module("fcntl")
                fcntl.flock(number, fcntl.LOCK_UN)
                fcntl.lockf(number, fcntl.LOCK_UN)

    def close(self) -> None:
        """The run is over."""
        while self._files:
            number, (_, which) = self._files.popitem()
            if _is(number, which):
                os.close(number)


def _which(number: int) -> Which:
    found = os.fstat(number)
    return found.st_dev, found.st_ino


def _is(number: int, which: Which) -> bool:
    """Whether it is still the file that was opened."""
    try:
        return _which(number) == which
    except OSError:
        return False
