"""What a host takes over of a session that it goes on with, as the classes are now. What it cannot is told before anything of
the session is changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sim.base.errors import ConfigError, SimError, unknown
from sim.host.cast import Cast
from sim.host.in_flight import unreadable
from sim.host.journal import Journal
from sim.host.journal_records import Kept
from sim.machine.handler import Handler, Local
from sim.machine.migration import durable, migrated
from sim.machine.table import DOWN


def taken_over(journal: Journal, session: str, cast: Cast, kept: Mapping[str, Kept]) -> dict[str, Local]:
    """Each machine and monitor as it was `kept`; of a machine that restarts only what is durable counts. Raises `ConfigError`
    with a line for each of them, and each message in flight, that nothing can be made of."""
    found: dict[str, Local] = {}
    mistakes = []
    for name, handler in {**cast.handlers, **cast.monitors}.items():
        try:
            found[name] = _local(cast, handler, kept.get(name))
        except SimError as error:
            mistakes += [f"{name}: {mistake}" for mistake in error.mistakes]
    mistakes += _lost(journal, session, cast)
    if mistakes:
        raise ConfigError(*(f"{journal.database.name}: session {session}: {mistake}" for mistake in mistakes))
    return found


def _local(cast: Cast, handler: Handler, kept: Kept | None) -> Local:
    is_mine = handler.name in cast.here
    if kept is None:  # the model has it since the last stop
        return Local(DOWN, handler.initial_fields) if is_mine else handler.initial()[0].local
    given = {name: cast.codec.load(value) for name, value in kept.fields.items()}
    state = handler.table.initial if kept.state == DOWN else kept.state
    state, found = migrated(handler.definition, state, given, durable(handler.definition) if is_mine else None)
    initial = zip(handler.fields, handler.initial_fields, strict=True)
    return Local(DOWN if kept.state == DOWN else state, tuple(found.get(name, value) for name, value in initial))


def _lost(journal: Journal, session: str, cast: Cast) -> Iterator[str]:
    """What is in flight and would never arrive. What is for machines of another host stays on the disk: that host reads it."""
    known = cast.system.processes
    for target in journal.targets(session):
        if target not in known:
            yield f"a message in flight: {unknown('process', target, known)}"
    for mail in journal.mail(session, cast.machines):
        if told := unreadable(cast, mail):
            yield f"a message in flight from {mail.source} to {mail.target}: {told}"
