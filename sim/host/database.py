"""Where a journal is kept, whatever keeps it, and the tables that it has there."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

MIGRATIONS = (
    """
    CREATE TABLE journal (id TEXT NOT NULL, model TEXT NOT NULL, lines INTEGER NOT NULL) STRICT;
    CREATE TABLE session (
        id TEXT PRIMARY KEY, config TEXT NOT NULL, state TEXT NOT NULL, why TEXT NOT NULL, began_ms INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE machine (
        session TEXT NOT NULL, process TEXT NOT NULL, place INTEGER NOT NULL, role TEXT NOT NULL, kind TEXT NOT NULL,
        state TEXT NOT NULL, fields TEXT NOT NULL, timers TEXT NOT NULL, PRIMARY KEY (session, process)
    ) STRICT;
    CREATE TABLE mail (
        id INTEGER PRIMARY KEY, session TEXT NOT NULL, source TEXT NOT NULL, target TEXT NOT NULL, message TEXT NOT NULL,
        fault TEXT NOT NULL, texts TEXT NOT NULL, cause TEXT NOT NULL, sent_ms INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX mail_of_target ON mail (target, id);
    CREATE TABLE inbox (
        journal TEXT NOT NULL, session TEXT NOT NULL, source TEXT NOT NULL, target TEXT NOT NULL, opening TEXT NOT NULL,
        id INTEGER NOT NULL, PRIMARY KEY (journal, session, source, target)
    ) STRICT;
    CREATE TABLE arrived (
        session TEXT NOT NULL, source TEXT NOT NULL, target TEXT NOT NULL, id INTEGER NOT NULL,
        PRIMARY KEY (session, source, target)
    ) STRICT;
    CREATE TABLE payload (hash TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT;
    CREATE TABLE taken (
        line INTEGER NOT NULL, session TEXT NOT NULL, process TEXT NOT NULL, message TEXT NOT NULL, hash TEXT NOT NULL
    ) STRICT;
    CREATE INDEX taken_by ON taken (session, process);
    CREATE TABLE trace (
        n INTEGER PRIMARY KEY, session TEXT NOT NULL, process TEXT NOT NULL, line TEXT NOT NULL, at_ms INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX trace_of_session ON trace (session, n);
    CREATE TABLE call (
        mail INTEGER NOT NULL, began_ms INTEGER NOT NULL, session TEXT NOT NULL, process TEXT NOT NULL,
        ended_ms INTEGER, line INTEGER, outcome TEXT NOT NULL, PRIMARY KEY (mail, began_ms)
    ) STRICT;
    CREATE INDEX call_of_session ON call (session);
    CREATE TABLE wish (id INTEGER PRIMARY KEY, session TEXT NOT NULL, kind TEXT NOT NULL, said TEXT NOT NULL) STRICT
    """,
)


class OpenTransaction(Protocol):
    """An open transaction."""

    def do(self, statement: str, *values: object) -> None:
        """Change something; a ? stands for each value."""

    def rows(self, query: str, *values: object) -> Sequence[Any]:
        """The rows of a query."""


class Database(Protocol):
    """Where a journal is kept. What goes wrong with it is told as `ConfigError`, with what to do."""

    @property
    def name(self) -> str:
        """What to call it; without secrets."""

    def rows(self, query: str, *values: object) -> Sequence[Any]:
        """The rows of a query, each a sequence."""

    def writing(self) -> AbstractContextManager[OpenTransaction]:
        """One transaction: when it is left all of it is on the disk, or nothing."""

    def hold(self) -> None:
        """Nobody else may host this journal, until it is closed or this process ends."""

    def close(self) -> None: ...
