"""Pools of threads. One that was made before the run has workers of the run while it lasts, and its own again after it; one
that outlives the run forgets those of the run."""

from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.live.threads.live_thread import LiveThread


class Pools:
    """Those to which something was given in one run."""

    def __init__(self) -> None:
        self._before: dict[int, tuple[Any, dict[str, Any]]] = {}
        self._queues: dict[int, Any] = {}
        """By the worker, where it waits for work."""

    def adopt(self, pool: ThreadPoolExecutor) -> None:
        """Something is given to `pool`."""
        if id(pool) in self._before:
            return
        workers: Any = vars(pool)["_threads"]
        fresh = _fresh()
        self._before[id(pool)] = pool, {name: vars(pool)[name] for name in fresh} if workers else fresh
        if workers:
            vars(pool).update(_fresh())

    def employ(self, pool: ThreadPoolExecutor) -> None:
        """It may have a new worker. The process would join its workers where it ends, which is not when a run does."""
        known: Any = vars(sys.modules["concurrent.futures.thread"])["_threads_queues"]
        for worker in vars(pool)["_threads"]:
            if id(worker) not in self._queues:
                self._queues[id(worker)] = known.pop(worker, None)

    def restore(self) -> None:
        """The run is over."""
        for pool, before in self._before.values():
            vars(pool).update(before)
        self._before.clear()

    def is_idle(self, thread: LiveThread) -> bool:
        """Whether it is a worker that has no work: the process would end it."""
        return self.waits_for_work(thread) and self._queues[id(thread.thread)].empty()

    def waits_for_work(self, thread: LiveThread) -> bool:
        """Whether it is a worker that does nothing for anybody now."""
        wait, queue = thread.wait, self._queues.get(id(thread.thread))
        return queue is not None and wait is not None and wait.on is queue

    def lose(self, thread: LiveThread) -> None:
        """It goes on no more: its pool has one worker less, and may have another."""
        for pool, _ in self._before.values():
            vars(pool)["_threads"].discard(thread.thread)


def _fresh() -> dict[str, Any]:
    return {"_work_queue": SimpleQueue(), "_idle_semaphore": threading.Semaphore(0), "_threads": set()}
