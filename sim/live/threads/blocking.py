"""What waits, and what begins a thread: swapped, so that in a run others go on meanwhile.

A lock is acquired by the real function, which is asked not to wait; where it would, whoever asks gives way until the lock is
free. So the state of a lock is in the lock alone, whoever made it and when.
"""

from __future__ import annotations

import _thread
import os
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from sim.live.threads.handing import ACQUIRE, LOCKED

if TYPE_CHECKING:
    from sim.live.entering import Entering, Surrounded
    from sim.live.in_place import Swaps

BLOCKS = "it blocks the loop, whose time stands still meanwhile; use `await asyncio.sleep(...)`"
CORES = 4
"""So many has the machine of a run: pools are as large as that on every machine."""
OUTSIDE_S = 1.0
"""Seconds, and not of the run, for which one is waited for that a thread outside of the run has."""
LOCK: Any = _thread.LockType
RLOCK: Any = type(threading.RLock())
QUEUE: Any = SimpleQueue


def swap_blocking(swaps: Swaps, entering: Entering) -> None:
    """In a run nothing waits really."""
    for kind, entries in ENTRIES.items():
        for name, inside in entries.items():
            if hasattr(kind, name):
                swaps.entry_also_bound(kind, name, entering.chooses(inside))
    thread = threading.Thread
    swaps.attribute(thread, "start", entering.chooses(_start))
    swaps.attribute(thread, "join", entering.chooses(_join))
    swaps.built_in(_thread.start_new_thread, entering.chooses(_start_bare))
    swaps.built_in(time.sleep, entering.chooses(_sleep))
    swaps.attribute(threading, "_counter", entering.chooses(_next_number))
    swaps.attribute(ThreadPoolExecutor, "_counter", lambda real: staticmethod(entering.chooses(_next_number)(real)))
    swaps.attribute(ThreadPoolExecutor, "submit", entering.chooses(_submit))
    for name in ("cpu_count", "process_cpu_count"):
        if hasattr(os, name):
            swaps.named(os, name, entering.chooses(_cores))


class _Acquiring:
    """Acquiring locks of one kind: `acquire` is the real function, and `holder` says in one look which thread has it, None where
    none has, 0 where nobody knows which. One that a thread outside of the run has comes back in a moment, and is waited for really:
    what that thread does the run cannot choose."""

    def __init__(self, what: str, acquire: Any, holder: Callable[[Any], int | None]) -> None:
        self._what, self._acquire, self._holder = what, acquire, holder

    def acquire(self, _real: Any, run: Surrounded, lock: Any, blocking: bool = True, timeout: float = -1) -> bool:
        if not blocking or (timeout < 0 and timeout != -1):
            return bool(self._acquire(lock, blocking, timeout))  # it says what is wrong
        return self._acquired(run, lock, None if timeout < 0 else timeout)

    def enter(self, _real: Any, run: Surrounded, lock: Any) -> bool:
        return self._acquired(run, lock, None)

    def restore(self, real: Any, run: Surrounded, lock: Any, state: Any) -> None:
        """As of a condition that has waited: as often as before."""
        self._acquired(run, lock, None)
        lock.release()
        real(lock, state)

    def _acquired(self, run: Surrounded, lock: Any, timeout_s: float | None) -> bool:
        if self._acquire(lock, False):
            return True
        if timeout_s == 0:
            return False
        if self._acquired_now(run, lock):
            return True
        wait = run.threads.wait(partial(self._could, run, lock), self._what, lock, timeout_s)
        while run.threads.block(wait):
            if self._acquired_now(run, lock):
                return True
        return bool(self._acquire(lock, False))

    def _acquired_now(self, run: Surrounded, lock: Any) -> bool:
        """Whether it is, without a thread of the run that gives it back first."""
        while not self._acquire(lock, False):
            if not self._could(run, lock):
                return False
            if self._acquire(lock, True, OUTSIDE_S):
                return True
        return True

    def _could(self, run: Surrounded, lock: Any) -> bool:
        """Whether no thread of the run has it: none, or one outside."""
        return self._holder(lock) not in run.threads.idents


def _get(real: Any, run: Surrounded, queue: Any, block: bool = True, timeout: float | None = None) -> Any:
    if not block or (timeout is not None and timeout <= 0):
        return real(queue, block, timeout)
    wait = run.threads.wait(lambda: not queue.empty(), "SimpleQueue.get", queue, timeout)
    while queue.empty() and run.threads.block(wait):
        pass
    return real(queue, False)


def _sleep(_real: Any, run: Surrounded, seconds: float) -> None:
    if run.threads.current is None:
        raise run.threads.refused(f"time.sleep is refused in a run: {BLOCKS}")
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    run.threads.nap(seconds, "sleep")


def _start(real: Any, run: Surrounded, thread: threading.Thread) -> None:
    run.threads.start(thread, partial(real, thread))


def _start_bare(_real: Any, run: Surrounded, function: Any, args: Any, kwargs: Any = None) -> int:
    return run.threads.start_bare(function, args, kwargs or {})


def _join(real: Any, run: Surrounded, thread: threading.Thread, timeout: float | None = None) -> None:
    live = run.threads.of(thread)
    if live is None:
        real(thread, timeout)  # of the world outside, or it is over, or not begun
    elif live is run.threads.current:
        raise RuntimeError("cannot join current thread")
    else:
        run.threads.block(run.threads.wait(lambda: live.over, "Thread.join", thread, timeout))


def _next_number(_real: Any, run: Surrounded) -> int:
    return run.threads.next_number()


def _submit(real: Any, run: Surrounded, pool: Any, function: Any, /, *args: Any, **kwargs: Any) -> Any:
    pools = run.threads.pools
    pools.adopt(pool)
    future = real(pool, function, *args, **kwargs)
    pools.employ(pool)
    return future


def _cores(_real: Any, _run: Surrounded) -> int:
    return CORES


def _owner(lock: Any) -> int | None:
    found = _OWNER.match(repr(lock))
    return None if found is None else int(found[1])


_OWNER = re.compile(r"<locked .* owner=(\d+) ")
_LOCKS = _Acquiring("Lock.acquire", ACQUIRE, lambda lock: 0 if LOCKED(lock) else None)
# before Python 3.14 nothing but its text says of an RLock whether somebody holds it, whoever asks
_RLOCKS = _Acquiring("RLock.acquire", RLOCK.acquire, _owner)
ENTRIES: dict[Any, dict[str, Any]] = {
    LOCK: {"acquire": _LOCKS.acquire, "acquire_lock": _LOCKS.acquire, "__enter__": _LOCKS.enter},
    RLOCK: {"acquire": _RLOCKS.acquire, "__enter__": _RLOCKS.enter, "_acquire_restore": _RLOCKS.restore},
    QUEUE: {"get": _get},
}
"""Type -> its methods that wait."""
