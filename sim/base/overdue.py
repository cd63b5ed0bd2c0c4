"""Says which call of the user's code does not end, and ends the run if it is told to.

A wall clock is not a property: what is ended is incomplete, and nothing is said to be wrong. The alarm rings in the main
thread, in between two steps of whatever runs there; code that is not Python's has to return first.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from sim.base.printing import printable, shortened

SAID_AFTER_S = 5.0
TICK_S = 0.5
NO_MEMORY = "the memory ran out; raise its limit, or set smaller bounds"


class Watch:
    """One for each process. A clock is not read: what counts is how often the alarm rings within one call."""

    def __init__(self) -> None:
        self.call: object = None
        """The call that runs now, with a `str` that says what it is given; a new object for each call."""
        self.limit_s: float | None = None
        self.ended = ""
        """What was ended, and why; empty if nothing was."""
        self._seen: object = None
        self._lasted_s = 0.0
        self._tick_s = TICK_S
        self._said = False
        self._before: Any = None

    def start(self, limit_s: float | None = None) -> None:
        """Watch from now on, until `stop`; a call that lasts for `limit_s` is interrupted as by the user."""
        self.limit_s, self.ended, self._seen = limit_s, "", None
        self._tick_s = min(TICK_S, SAID_AFTER_S, limit_s or TICK_S) / 2
        try:
            self._before = signal.signal(signal.SIGALRM, self._ring)
        except (AttributeError, ValueError):  # no such signal here, or not in the main thread
            return
        signal.setitimer(signal.ITIMER_REAL, self._tick_s, self._tick_s)

    @contextmanager
    def during(self, call: object) -> Iterator[None]:
        """This call runs within the block."""
        before, self.call = self.call, call
        try:
            yield
        finally:
            self.call = before

    def end(self, why: str) -> None:
        """There is no answer, for a reason that lies in the machine; what was covered is told all the same."""
        self.ended = self.ended or why

    def stop(self) -> None:
        """Watch no longer."""
        if self._before is not None:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._before)
            self._before = None

    def _ring(self, _: int, frame: FrameType | None) -> None:
        if self.ended:
            if self.call is not None and self.call is self._seen:
                raise KeyboardInterrupt  # the call has caught the first one
            return
        if self.call is None or self.call is not self._seen:
            self._seen, self._lasted_s, self._said = self.call, 0.0, False
            return
        self._lasted_s += self._tick_s
        if self._lasted_s >= SAID_AFTER_S and not self._said:
            self._said = True
            said = f"sim: {self.call} has been running for {SAID_AFTER_S:g} s{_place(self._frame(frame))}"
            os.write(2, f"{shortened(printable(said))}\n".encode())  # whatever is being printed just now
        if self.limit_s is not None and self._lasted_s >= self.limit_s:
            self.ended = f"{self.call} did not end within {self.limit_s:g} s{_place(self._frame(frame))}"
            raise KeyboardInterrupt

    def _frame(self, here: FrameType | None) -> FrameType | None:
        """Where the call is: in this thread, or in the one that it says it runs in."""
        ident = getattr(self.call, "ident", None)
        return here if ident is None else sys._current_frames().get(ident)


def _place(frame: FrameType | None) -> str:
    """`, in m.py:12, in spin`: where the call is."""
    if frame is None:
        return ""
    file = frame.f_code.co_filename.replace(chr(92), "/").rpartition("/")[2]
    return f", at {file}:{frame.f_lineno} in {frame.f_code.co_name}"


WATCH = Watch()
