"""What is wrong with any program, without a line of test code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from traceback import walk_tb
from types import FrameType
from typing import TYPE_CHECKING, Any

from sim.base.errors import failure, listing
from sim.live.naming import innermost, is_own, spot_in, spot_of
from sim.live.threads.live_thread import LiveThread, own_frame, waited_call
from sim.world.finding import Finding

if TYPE_CHECKING:
    from sim.live.execution import Execution
    from sim.live.live_task import LiveTask
    from sim.live.threads.live_thread import Wait

DEADLOCK, OUTLIVES, EXCEPTION, MAIN, ENDLESS = "deadlock", "outlives", "exception", "main", "endless"
BUILT_IN = (DEADLOCK, OUTLIVES, EXCEPTION, MAIN, ENDLESS)
SAID_MAX = 3
"""Tasks of which it is said where they wait."""


def ended(run: Execution) -> Finding | None:
    """What is wrong with how main has ended, as soon as it has."""
    main = run.main
    if main.cancelled():
        struck = [task.called for task in run.tasks if task.struck]
        by = f"a fault has cancelled {listing(struck, 'and')}, and not main" if struck else "by no fault"
        return None if run.struck_main else Finding(MAIN, f"it ends as cancelled: {by}")
    error = main.exception()
    return None if error is None else Finding(MAIN, f"it fails with {_told(error)}")


def exited(who: str, error: SystemExit) -> Finding:
    """A task or callback would end the process."""
    return Finding(EXCEPTION, f"{who} ends the process with {_told(error)}")


def thread_failed(thread: LiveThread, error: BaseException) -> Finding:
    """An exception has ended a thread. An interrupt is the program's own there: that of the user reaches the loop's thread alone."""
    said = f"KeyboardInterrupt{_where(error)}" if isinstance(error, KeyboardInterrupt) else _told(error)
    return Finding(EXCEPTION, f"{thread} fails with {said}, and nobody takes it")


def outlives(run: Execution) -> Finding:
    """Something goes on after main has ended."""
    return Finding(OUTLIVES, f"main has ended, and {_said(run)}")


def stuck(run: Execution, wait: Wait, frame: FrameType) -> Finding:
    """The loop's own thread waits forever."""
    own = own_frame(frame)
    where = f" in {spot_in(own)}" if own is not None else ""
    return Finding(DEADLOCK, f"the loop itself waits{where} on {waited_call(frame, wait)}, and {_said(run)}")


def untaken(context: dict[str, Any]) -> Finding:
    """What the loop's handler of exceptions is told."""
    error = context.get("exception")
    what = _PLACE.sub("", str(context.get("message", "an error")))
    return Finding(EXCEPTION, f"{what}: {_told(error)}" if isinstance(error, BaseException) else what)


def at_the_end(run: Execution, *, may_be_told: bool = False) -> Finding | None:
    """What is wrong where nothing more happens, unless the program is told to stop."""
    waiting = [*run.waiting(), *run.threads.unfinished()]
    lost = next(_untaken_errors(run), None)  # first: it may be why others wait
    if lost is not None:
        return lost
    if not run.over and may_be_told and _waits_to_be_told(run):
        return run.audience.rest(run.heard)
    if not run.over:
        unheard = _UNHEARD if run.loop.sleeps_over else ""
        return Finding(DEADLOCK, f"nothing can happen any more, and {_said(run)}{unheard}")
    if waiting:
        return outlives(run)
    return run.audience.rest(run.heard)


def _waits_to_be_told(run: Execution) -> bool:
    return run.loop.listens or run.signals.listens or innermost(run.main.get_coro()) == "Server.serve_forever"


def _untaken_errors(run: Execution) -> Iterator[Finding]:
    for task in run.tasks:
        error = task._exception  # to ask for it would be to take it
        left = isinstance(error, ConnectionError) and run.is_server(task.root)  # in a crash nobody is told
        if error is not None and task._log_traceback and task is not run.main and not left:
            yield Finding(EXCEPTION, f"{task.called} fails with {_told(error)}, and nobody asks what became of it")


def _told(error: BaseException) -> str:
    """`ValueError: too many (pool.py:12)`: an exception, and the innermost line of somebody's code that it went through."""
    return f"{_PLACE.sub('', failure(error))}{_where(error)}"


def _where(error: BaseException) -> str:
    own = [(frame.f_code, line) for frame, line in walk_tb(error.__traceback__) if is_own(frame.f_code)]
    return f" ({Path(own[-1][0].co_filename).name}:{own[-1][1]})" if own else ""


_PLACE = re.compile(r" at (?:0x[0-9a-f]+|/\S+:\d+)")
"""Where something is on this machine, or in the memory of this process."""


def _said(run: Execution) -> str:
    """Who waits where."""
    waiting = [*map(_thread_waits, run.threads.unfinished()), *map(_waits, run.waiting())]
    said, more = waiting[:SAID_MAX], len(waiting) - SAID_MAX
    if not said:
        return "nobody could end that"
    return listing([*said, *([f"{more} more wait"] if more > 0 else [])], "and")


_UNHEARD = (
    "; a thread has used the loop while it sleeps, which does not wake it: use loop.call_soon_threadsafe or "
    "asyncio.run_coroutine_threadsafe"
)


def _thread_waits(thread: LiveThread) -> str:
    spot = thread.whereabouts()
    if spot is None:
        return f"{thread} has not begun"
    return f"{thread} waits in {spot} on {thread.waits_on()}, since step {thread.stepped}"


def _waits(task: LiveTask) -> str:
    if not task.stepped:
        return f"{task.called} has not begun"
    coroutine = task.get_coro()
    spot, inner = spot_of(coroutine), innermost(coroutine)
    on = f" on {inner}" if inner and inner != spot.name else ""
    return f"{task.called} waits in {spot}{on}, since step {task.stepped}"
