"""When what can happen did last: so that it is known what has waited longest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.world.choice import FIRE, Subject

if TYPE_CHECKING:
    from sim.live.threads.live_thread import LiveThread

RESUME, WORK = "resume", "work"
"""What is chosen of a task or thread."""
TIME: Subject = (FIRE, 0, "")
"""That time passes."""


class Went:
    """Of one run."""

    def __init__(self) -> None:
        self.count = 0
        """How much has happened."""
        self._last: dict[Subject, int] = {}

    def goes(self, subject: Subject) -> None:
        """This happens."""
        self.count += 1
        self._last[_whose(subject)] = self.count

    def last(self, subject: Subject) -> int:
        """When this did, of all that has happened; 0: never."""
        return self._last.get(_whose(subject), 0)

    def longest(self, threads: list[LiveThread], *, or_time: bool) -> LiveThread | None:
        """Which of these has waited longest; None: time has, if it may pass."""
        found = min(threads, key=self._worked)
        return None if or_time and self.last(TIME) < self._worked(found) else found

    def _worked(self, thread: LiveThread) -> int:
        return self.last((WORK, thread.number, ""))


def _whose(subject: Subject) -> Subject:
    """Of a thread or task its own, of the rest of what can happen the kind."""
    kind, number, _ = subject
    return (kind, number if kind in (WORK, RESUME) else 0, "")
