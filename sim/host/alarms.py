"""The timers of a host: what is armed rings when its time is up, unless it is armed anew or cancelled before its machine has
heard it. One that its machine defers stays armed, as in the model, and is tried again whenever something has happened."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from sim.host.hosted_session import HostedSession


class Timer(NamedTuple):
    """A timer of a machine of a session."""

    process: str
    name: str


class Alarms:
    """The timers of all sessions. `up` is called once the time of one is up; `pace` is how many times as fast they run."""

    def __init__(self, pace: float, up: Callable[[HostedSession, Timer, asyncio.TimerHandle], None]) -> None:
        self._pace, self._up = pace, up
        self._handles: dict[str, dict[Timer, asyncio.TimerHandle]] = {}
        self._late: dict[str, list[Timer]] = {}
        """Whose time was up while its machine deferred it."""

    def arm(self, session: HostedSession) -> None:
        """Winds up what was armed in this session since."""
        loop = asyncio.get_running_loop()
        for process, name, for_ms in session.armed:
            handles, timer = self._handles.setdefault(session.name, {}), Timer(process, name)
            if (old := handles.get(timer)) is not None:
                old.cancel()
            if timer in (late := self._late.get(session.name, [])):
                late.remove(timer)
            handles[timer] = loop.call_later(for_ms / 1000 / self._pace, self._ring, session, timer)
        session.armed.clear()

    def _ring(self, session: HostedSession, timer: Timer) -> None:
        self._up(session, timer, self._handles[session.name][timer])

    def is_due(self, session: HostedSession, timer: Timer, handle: asyncio.TimerHandle) -> bool:
        """Whether what has rung is still what is armed; it rings once."""
        handles = self._handles.get(session.name, {})
        if handles.get(timer) is not handle:
            return False
        del handles[timer]
        return True

    def defer(self, session: HostedSession, timer: Timer) -> None:
        """Its machine does not take it now."""
        self._late.setdefault(session.name, []).append(timer)

    def late(self, session: HostedSession) -> list[Timer]:
        """Those whose time was up and that are armed still."""
        found = self._late.get(session.name)
        if not found:
            return []
        found[:] = [timer for timer in found if timer.name in session.locals[timer.process].timers]
        return [*found]

    def run(self, session: HostedSession) -> bool:
        """Whether any is armed whose time is not up."""
        late = self.late(session)
        return any(Timer(process, name) not in late for process, at in session.locals.items() for name in at.timers)

    def end(self, session: str) -> None:
        """Nothing of this session rings any more."""
        self._late.pop(session, None)
        for handle in self._handles.pop(session, {}).values():
            handle.cancel()

    def close(self) -> None:
        for session in [*self._handles]:
            self.end(session)
