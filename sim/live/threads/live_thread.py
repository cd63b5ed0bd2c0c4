"""A thread of a run, and what it waits for."""

from __future__ import annotations

import re
import threading
import time
from _thread import get_ident
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any

from sim.live.naming import Whereabouts, bare, called, is_own, plain, spot_in
from sim.live.threads.handing import ACQUIRE, held
from sim.live.tokens import token

OUTSIDE_MS = 50
"""Milliseconds, and not of the run, for which the loop waits for a thread that is not of the run."""
_OF_PYTHON = re.compile(r"Thread-\d+(?: \(.*\))?")
_BEGINNINGS = ("_bootstrap", "_bootstrap_inner", "run")
_OF_A_POOL = ("_worker", "run")
_NUMBERED = re.compile(r"(?:-\d+)?_\d+")


BEGINNING = "start"
"""Where one is that has not begun."""


class ThreadIsLeft(BaseException):
    """The run is over, and so is the thread, or whatever waits for one."""


class Deadline:
    """The moment at which a thread waits no longer."""

    __slots__ = ("_at_s", "called", "is_last", "number", "owner")

    def __init__(self, at_s: float, owner: str, called: str, number: int, is_last: bool = False) -> None:
        self._at_s, self.owner, self.called, self.number = at_s, owner, called, number
        self.is_last = is_last
        """Whether it comes only where nothing else can."""

    def when(self) -> float:
        """Virtual seconds since the start of the run."""
        return self._at_s


@dataclass
class Wait:
    """What somebody waits for."""

    ready: Callable[[], bool]
    """Whether it is there."""
    what: str
    """The call that waits, such as `Lock.acquire`."""
    on: object = None
    """The lock, queue or thread."""
    deadline: Deadline | None = None


class LiveThread:
    """One of them. `ident` is that of the operating system, and changes from run to run."""

    def __init__(self, thread: threading.Thread | None, name: str, number: int, owner: str, daemon: bool) -> None:
        self.thread, self.called, self.number, self.owner, self.daemon = thread, name, number, owner, daemon
        self.token = token(name)
        self.ident = 0
        self.turn = held()
        """Is released when it may go on."""
        self.begun = held()
        """Is released when it stands before its first line."""
        self.wait: Wait | None = None
        self.frame: FrameType | None = None
        """Where it stands, while it does; None: it has not begun."""
        self.is_underway = False
        """Whether it stands at a line, and not where it waits: as usual, it would simply go on."""
        self.over = False
        self.gone = False
        """Whether it was lost in a crash."""
        self.errand: Callable[[], object] | None = None
        """What it does before it goes on, for whoever leads the run."""
        self.lost = False
        """Whether it never came back from a call in which a run cannot see it wait."""
        self.asked = 0
        """How often it was asked to end, when the run was over."""
        self.stepped = 0
        self.job = ""
        """What a pool has given it last."""

    def __str__(self) -> str:
        return f"the thread {self.called}"

    def begins(self) -> None:
        """It is this thread that runs."""
        self.ident = get_ident()

    def spot(self) -> tuple[CodeType | None, int]:
        """The innermost code of somebody's own in which it stands, and at which of its lines: where exactly a call is that
        has not returned changes as Python gets to know it better."""
        frame = own_frame(self.frame)
        if frame is None:
            return None, 0
        return frame.f_code, (frame.f_lineno or 0) - frame.f_code.co_firstlineno

    def took_s(self) -> float:
        """How long it has computed by now."""
        return cpu_s(self.ident) if not self.over else 0.0

    def place(self) -> str:
        """Where it stands, as schedules say it."""
        where = self.whereabouts()
        return BEGINNING if where is None else where.name

    def whereabouts(self) -> Whereabouts | None:
        """The same, for a reader; None: it has not begun."""
        frame = own_frame(self.frame)
        return None if frame is None else spot_in(frame)

    def waits_on(self) -> str:
        """The call of the standard library in which it waits: `Queue.get`."""
        return waited_call(self.frame, self.wait)


def own_frame(frame: FrameType | None) -> FrameType | None:
    """The innermost frame of somebody's own code from here outwards, or else what a thread or pool was given to do."""
    given = None
    for at in frames(frame):
        if is_own(at.f_code):
            return at
        if given is None or not _is_of_a_pool(at) or _is_of_a_pool(given):
            given = at
    return given


def frames(frame: FrameType | None) -> Iterator[FrameType]:
    """From here outwards, but for ours and what begins a thread."""
    while frame is not None:
        begins = frame.f_globals is vars(threading) and frame.f_code.co_name in _BEGINNINGS
        if not begins and not _is_ours(frame):
            yield frame
        frame = frame.f_back


def _is_of_a_pool(frame: FrameType) -> bool:
    return frame.f_globals.get("__name__") == "concurrent.futures.thread" and frame.f_code.co_name in _OF_A_POOL


def _is_ours(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__")).startswith("sim.live.")


def waited_call(frame: FrameType | None, wait: Wait | None) -> str:
    """What somebody's own code has called that waits."""
    inner = ""
    for at in frames(frame):
        if is_own(at.f_code) or (inner and _is_of_a_pool(at)):
            break
        inner = bare(at.f_code.co_qualname)
    return inner or (wait.what if wait is not None else "")


def name_of(thread: threading.Thread) -> str:
    """What a thread is called in schedules: as the program says, or else as what it runs."""
    given = thread.name
    if _OF_PYTHON.fullmatch(given):
        target: Any = getattr(thread, "_target", None)
        given = called(target) if target is not None else type(thread).__name__
    return plain(_without_number(given))


def _without_number(name: str) -> str:
    """`asyncio` of `asyncio_0`: workers of a pool are numbered in the order made, as all that has one name."""
    found = _NUMBERED.search(name)
    return name[: found.start()] if found is not None and found.end() == len(name) and found.start() else name


def cpu_s(ident: int) -> float:
    """Seconds for which a thread of the operating system has computed; 0 where nobody can say."""
    if not hasattr(time, "pthread_getcpuclockid"):
        return 0.0
    try:
        return time.clock_gettime(time.pthread_getcpuclockid(ident))
    except OSError:
        return 0.0


def comes_from_outside(wait: Wait) -> bool:
    """Whether a thread of the world outside has what it waits for, and gives it back in a moment: a lock of logging, say."""
    for _ in range(OUTSIDE_MS):
        if wait.ready():
            return True
        ACQUIRE(held(), True, 0.001)
    return False
