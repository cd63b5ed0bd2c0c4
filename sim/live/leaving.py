"""How what has not ended is left: nothing that it says then is heard."""

from __future__ import annotations

import asyncio
import ctypes
import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

CLOSES_MAX = 10
"""How often a coroutine is asked to end."""


def leave(coroutine: Any) -> None:
    """Leave it where it stands, whatever it does then. One that takes every exception and waits again is never thrown away:
    it would be asked once more, outside of its loop, where such code may go round forever. Raises `KeyboardInterrupt` at the
    end if the user interrupts meanwhile."""
    interrupt = None
    for _ in range(CLOSES_MAX):
        try:
            coroutine.close()
        except KeyboardInterrupt as error:
            interrupt = error
        except BaseException:  # noqa: S110
            pass
        if getattr(coroutine, "cr_frame", None) is None:
            break
    else:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(coroutine))
    if interrupt is not None:
        raise interrupt


def leave_task(task: asyncio.Task[Any]) -> None:
    """Leave its coroutine, as the task that runs: what it has entered is left only by whoever has entered it, and a table of a
    library by tasks would hold the whole run otherwise."""
    loop = task.get_loop()
    asyncio.tasks._enter_task(loop, task)
    try:
        leave(task.get_coro())
    finally:
        asyncio.tasks._leave_task(loop, task)


@contextmanager
def unheard() -> Iterator[None]:
    """What code warns of or logs while it is thrown away, and what its finalisers raise, is nobody's concern: in a run that goes
    on it would not be thrown away here."""
    before, sys.unraisablehook = sys.unraisablehook, _nothing
    handlers = vars(logging.Logger)["callHandlers"]
    setattr(logging.Logger, "callHandlers", _nothing)  # noqa: B010
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        setattr(logging.Logger, "callHandlers", handlers)  # noqa: B010
        sys.unraisablehook = before


def _nothing(*_: object) -> None:
    pass
