"""What a loop runs: callbacks and timers, each noted when it does."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from sim.base.overdue import WATCH
from sim.live.live_task import LiveTask
from sim.live.naming import called

if TYPE_CHECKING:
    from sim.live.execution import Execution

_STOCK: Any = asyncio.Handle._run
"""How the standard library runs a callback."""


def _run_noted(handle: Any) -> None:
    """Runs a callback or timer, and has it noted before and after."""
    run: Execution = handle._loop.run
    if run.before(handle):
        WATCH.call = handle
        try:
            _STOCK(handle)
        except SystemExit as error:
            run.exits(error)
        if run.is_attentive:
            run.after()


class LiveHandle(asyncio.Handle):
    """A callback that is noted when it runs."""

    __slots__ = ("by", "owner")
    by: LiveTask | None  # that has asked for it
    owner: str
    """On whose behalf it was asked for."""

    def _run(self) -> None:
        _run_noted(self)

    def __str__(self) -> str:
        return _said(self)


class Polled(LiveHandle):
    """What is called when a socket is ready: the handle of before, which may be cancelled meanwhile."""

    __slots__ = ("fd", "polled")
    polled: asyncio.Handle
    fd: int
    """The socket; 0 where there is none."""

    def _run(self) -> None:
        if not self.polled.cancelled():
            super()._run()


class LiveTimer(asyncio.TimerHandle):
    """A timer that is noted when it fires."""

    __slots__ = ("called", "number", "owner")
    called: str
    number: int
    owner: str

    def _run(self) -> None:
        _run_noted(self)

    def __str__(self) -> str:
        return _said(self)


def _said(handle: asyncio.Handle) -> str:
    """What does not end, if it does not."""
    task = task_of(handle)
    return f"{called(handle._callback)} of {handle.owner}" if task is None else f"the task {task.called}"  # type: ignore[attr-defined]


def task_of(handle: asyncio.Handle) -> LiveTask | None:
    """The task that goes on when `handle` runs."""
    callback: Any = handle._callback  # type: ignore[attr-defined]
    task = getattr(callback, "__self__", None)
    return task if isinstance(task, LiveTask) and getattr(callback, "__name__", None) != "cancel" else None


def future_of(handle: asyncio.Handle) -> asyncio.Future[Any] | None:
    """The future that is done, and calls `handle` for that."""
    args: Any = handle._args
    return args[-1] if args and isinstance(args[-1], asyncio.Future) and args[-1].done() else None
