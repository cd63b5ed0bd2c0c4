"""A session is run by one process at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sim.base.errors import ConfigError

FILE = "sessions.lock"


@contextmanager
def held(folder: Path, number: int) -> Iterator[None]:
    """Lock session `number` of the store in `folder` for this process: its byte of the lock file. A killed process
    releases it. Raises `ConfigError` if another process holds it."""
    busy = f"session {number} is being run by another process; wait for it, or end it"
    lock = lock_file(folder / FILE, busy, number)
    try:
        yield
    finally:
        os.close(lock)


def lock_file(file: Path, busy: str, byte: int = 0) -> int:
    """Lock a byte of this file for this process; closing what is returned releases it, and so does a kill. Raises
    `ConfigError`, which says `busy` if another process holds it."""
    import fcntl  # imported here: without campaigns a system without it will do

    try:
        lock = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise ConfigError(f"{file}: cannot be opened: {error.strerror}; make its folder writable") from None
    try:
        fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)
    except OSError:
        os.close(lock)
        raise ConfigError(busy) from None
    return lock
