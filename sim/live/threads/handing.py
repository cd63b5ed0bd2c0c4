"""Real locks, by which threads of a run hand over to each other.

What is bound here are the functions of C themselves; whatever the types' entries say meanwhile, these wait really.
"""

from __future__ import annotations

from _thread import LockType, allocate_lock
from typing import Any

ACQUIRE: Any = LockType.acquire
RELEASE: Any = LockType.release
LOCKED: Any = LockType.locked


def held() -> Any:
    """A lock that is held already: whoever acquires it waits until somebody releases it."""
    lock = allocate_lock()
    ACQUIRE(lock)
    return lock
