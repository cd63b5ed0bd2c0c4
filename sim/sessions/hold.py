"""A session is run by one process at a time."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sim.base.errors import ConfigError

FILE = "sessions.lock"


@contextmanager
def held(folder: Path, number: int) -> Iterator[None]:
    """Lock session `number` of the store in `folder` for this process: its byte of the lock file. A killed process
    releases it. Raises `ConfigError` if another process holds it."""
    busy = f"session {number} is being run by another process; wait for it, or end it"
    lock = _opened(folder / FILE)
    _lock(lock, busy, lambda fcntl: fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number))
    try:
        yield
    finally:
        os.close(lock)


def lock_file(file: Path, busy: str) -> int:
    """Lock this file; closing what is returned releases it, and so does a kill. Raises `ConfigError`, which says `busy` if
    somebody else holds it, in this process or in another."""
    lock = _opened(file)
    _lock(lock, busy, lambda fcntl: fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB))
    return lock


def _opened(file: Path) -> int:
    try:
        return os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise ConfigError(f"{file}: cannot be opened: {error.strerror}; make its folder writable") from None


def _lock(opened: int, busy: str, lock: Callable[[Any], object]) -> None:
    import fcntl  # imported here: without campaigns a system without it will do

    try:
        lock(fcntl)
    except OSError:
        os.close(opened)
        raise ConfigError(busy) from None
