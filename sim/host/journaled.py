"""What journals hold of a run, for a check or a fuzz that begins there.

A host that runs meanwhile is not disturbed. Of its machines the journal holds state, fields and armed timers; what was sent
and not taken is in flight. What another journal has taken and not acknowledged yet will be sent again, but an inbox lets
nothing in twice: it is not in flight.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple

from sim.base.errors import ConfigError, SimError, listing, unknown
from sim.host.journal import Journal, open_journal
from sim.host.journal_records import Kept, Mail
from sim.machine.table import DOWN
from sim.system.declaration import Declaration
from sim.system.persisted import Flying, Persisted, Persisting
from sim.system.persisted_form import codec_of

MONITOR = "monitor"
"""The role of a machine that only listens."""
TRIES = 5
"""How often journals are read that are written to meanwhile."""


class _Look(NamedTuple):
    """What one journal holds of a session."""

    journal: Journal
    machines: dict[str, Kept]
    mail: list[Mail]
    at_ms: int
    """When its last line was written."""


def session_of(paths: Sequence[str], session: str | None, model: str = "") -> tuple[str, dict[str, Any]]:
    """The session that these journals hold, or the one that is asked for, and its configuration. Raises `ConfigError` if
    they hold none, or several and none is asked for."""
    with ExitStack() as stack:
        found: dict[str, dict[str, Any]] = {}
        for journal in _opened(stack, paths, model):
            known, called = journal.sessions(), journal.database.name
            if session is not None and session not in known:
                raise ConfigError(f"{called}: {unknown('session', session, known)}")
            names = [session] if session is not None else list(known)
            if len(names) != 1:
                held = f"the sessions {listing(names, 'and')}; say which: --session ID" if names else "no session"
                raise ConfigError(f"{called}: holds {held}")
            found[names[0]] = known[names[0]][0]
    if len(found) > 1:
        raise ConfigError(
            f"these journals are of the sessions {listing([*found], 'and')}; name journals of one session"
        )
    return next(iter(found.items()))


def persisted_of(paths: Sequence[str], system: Declaration, session: str | None = None, model: str = "") -> Persisted:
    """What these journals hold of a session of `system`. Raises `ConfigError` for what cannot be read."""
    name, _ = session_of(paths, session, model)
    with ExitStack() as stack:
        journals = [*_opened(stack, paths, model)]
        return _Reading(system, _looks(journals, name), name).result()


def _opened(stack: ExitStack, paths: Sequence[str], model: str) -> Iterator[Journal]:
    known: set[str] = set()
    for path in paths:
        journal = stack.enter_context(open_journal(path, model, fresh=False))
        if journal.id in known:
            raise ConfigError(f"{journal.database.name}: is given twice; give each journal once")
        known.add(journal.id)
        yield journal


def _looks(journals: Sequence[Journal], session: str) -> list[_Look]:
    """All that the journals hold, as it was at one moment."""
    for _ in range(TRIES):
        before = [*map(_lines, journals)]
        found = [
            _Look(journal, journal.machines(session), journal.mail(session), at_ms)
            for journal, (_, at_ms) in zip(journals, before, strict=True)
        ]
        if [*map(_lines, journals)] == before:
            return found
    raise ConfigError(
        f"{journals[0].database.name}: is written to all the time; stop who hosts it, or read a copy of it"
    )


def _lines(journal: Journal) -> tuple[int, int]:
    """The last line of a journal, and when it was written."""
    ((number, at_ms),) = journal.database.rows("SELECT max(n), max(at_ms) FROM trace")
    return int(number or 0), int(at_ms or 0)


class _Reading:
    """Journals as what was persisted of a system."""

    def __init__(self, system: Declaration, looks: Sequence[_Look], session: str) -> None:
        self._system, self._looks, self._session = system, looks, session
        self._load = codec_of(system).load

    def result(self) -> Persisted:
        locals_: dict[str, Persisting] = {}
        for look in self._looks:
            for name in self._known(look):
                if name in locals_:
                    raise ConfigError(f"{look.journal.database.name}: {name} is in another of these journals as well")
                locals_[name] = self._machine(look, name, look.machines[name])
        mails, taken = self._in_flight()
        flying = tuple(Flying(mail.source, mail.target, self._value(look, mail.message)) for look, mail in mails)
        struck = sum(mail.fault is not None for _, mail in mails)
        notes = [
            f"read from session {self._session} of {listing([look.journal.database.name for look in self._looks], 'and')}"
        ]
        if taken:
            notes.append(f"{taken} not acknowledged yet were taken already: when they come again nothing comes of it")
        if struck:
            notes.append(f"{struck} of what is in flight failed in the run, and is taken for sound here")
        return Persisted(locals_, flying, notes=tuple(notes))

    def _known(self, look: _Look) -> Iterator[str]:
        """The machines of a journal, but for monitors that this system does not have."""
        for name, kept in look.machines.items():
            if kept.role != MONITOR or name in self._system.monitors:
                yield name

    def _machine(self, look: _Look, name: str, kept: Kept) -> Persisting:
        machine = self._system.processes.get(name) or self._system.monitors.get(name)
        fields = {field: self._value(look, value) for field, value in kept.fields.items()}
        timers = {timer: max(0, due - look.at_ms) for timer, due in kept.timers.items()}
        if kept.state == DOWN and machine is not None:
            return Persisting(machine.state, fields, up=False)
        return Persisting(kept.state, fields, timers)

    def _in_flight(self) -> tuple[list[tuple[_Look, Mail]], int]:
        """What is in flight, the oldest of each journal first; and how many messages only seem to be."""
        found, taken = [], 0
        for look in self._looks:
            for mail in look.mail:
                others = [other.journal for other in self._looks if mail.target in other.machines and other is not look]
                if any(journal.came_last(look.journal.id, mail.way) >= mail.id for journal in others):
                    taken += 1
                else:
                    found.append((look, mail))
        return found, taken

    def _value(self, look: _Look, data: Any) -> Any:
        try:
            return self._load(data)
        except SimError as error:
            raise ConfigError(*(f"{look.journal.database.name}: {mistake}" for mistake in error.mistakes)) from None
