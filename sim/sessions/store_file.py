"""The file that sessions are kept in: SQLite, which survives a kill at any moment.

Every change is one transaction that takes the write lock at its beginning (BEGIN IMMEDIATE): a writer that read first
and wrote later could be refused in the middle. Readers never wait (WAL). A power cut may lose the last transactions,
never half of one; a lost chunk is run again, with the same result.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from sim.base.errors import ConfigError

WAIT_S = 30.0
"""Seconds that a writer waits for another."""
SQLITE_MIN = (3, 37)
"""The first version with STRICT tables."""


class StoreFile:
    """An open store. Its version is the number of scripts in `migrations` that it has been through. Raises `ConfigError` if
    the file cannot be used, or can no longer be written."""

    program = "roundsim"
    """Who keeps sessions in it, for errors."""
    variable = "SIM_HOME"
    """The variable that names another folder for it."""
    tables: tuple[str, ...] = ("session",)
    """By these it is known."""
    synchronous = "NORMAL"
    """A power cut may lose the last transactions, never half of one; with FULL it loses none."""

    def __init__(self, file: Path, migrations: Sequence[str]) -> None:
        if sqlite3.sqlite_version_info < SQLITE_MIN:
            raise ConfigError(f"SQLite {sqlite3.sqlite_version} is too old for sessions; use 3.37 or later")
        self.file = file
        with self._told():
            self._db = sqlite3.connect(file, timeout=WAIT_S, isolation_level=None)
            self._db.row_factory = sqlite3.Row
        try:
            self._refuse_what_is_not_ours()
            self._which = self._now()
            with self._told():
                self._db.execute("PRAGMA journal_mode = WAL")
                self._db.execute(f"PRAGMA synchronous = {self.synchronous}")
                self._db.execute("PRAGMA foreign_keys = ON")
                self._db.execute("PRAGMA trusted_schema = OFF")
            self._migrate(migrations)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        """The rows of a query."""
        with self._told():
            return self._db.execute(query, values).fetchall()

    @contextmanager
    def understood(self) -> Iterator[None]:
        """Stored data is decoded: if that fails, the store is damaged."""
        try:
            yield
        except (LookupError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
            why = f"its content cannot be decoded: {type(error).__name__}: {error}"
            raise ConfigError(f"{self.file}: {self._advice('SQLITE_CORRUPT')} ({why})") from None

    @contextmanager
    def writing(self) -> Iterator[Writing]:
        """One transaction: all of it is kept, or nothing."""
        if self._which != self._now():
            raise ConfigError(f"{self.file}: was moved or deleted while in use; put it back, or start again")
        with self._told():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield Writing(self._db, now_ms())
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:  # a full disk may have ended it already
                    self._db.execute("ROLLBACK")
                raise

    def _refuse_what_is_not_ours(self) -> None:
        """A database of another program is not touched. Ours has no triggers and views, which would change what we write
        or read."""
        found = [tuple(row) for row in self.rows("SELECT type, name FROM sqlite_schema WHERE type <> 'index'")]
        missing = {("table", name) for name in self.tables} - {*found}
        if found and (missing or any(kind != "table" for kind, _ in found)):
            raise ConfigError(f"{self.file}: {self._advice('SQLITE_NOTADB')} (it is a database of another program)")

    def _migrate(self, migrations: Sequence[str]) -> None:
        newest = len(migrations)
        if self._version() < newest:
            with self.writing() as change:
                for script in migrations[self._version() :]:  # another process may have been first
                    for statement in script.split(";\n"):
                        change.do(statement)
                change.do(f"PRAGMA user_version = {max(newest, self._version())}")
        if self._version() > newest:
            raise ConfigError(
                f"{self.file}: has version {self._version()}, this {self.program} knows {newest}; "
                f"use the {self.program} that wrote it, or another {self.variable}"
            )

    def _now(self) -> tuple[int, int] | None:
        """The identity of the file with our name; SQLite would go on writing to one that was removed."""
        try:
            found = self.file.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def _version(self) -> int:
        (found,) = self.rows("PRAGMA user_version")
        return int(found[0])

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Errors of SQLite, as mistakes that say what to do."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError):
                raise
            name = getattr(error, "sqlite_errorname", "") or ""
            raise ConfigError(f"{self.file}: {self._advice(name)} ({error})") from None
        except (UnicodeError, OverflowError) as error:
            raise ConfigError(f"{self.file}: {self._advice('SQLITE_CORRUPT')} ({error})") from None

    def _advice(self, name: str) -> str:
        """What to do about an error of SQLite."""
        found = next((advice for begin, advice in _ADVICE.items() if name.startswith(begin)), _OTHERWISE)
        return found.format(variable=self.variable)


class Writing:
    """An open transaction, and its time in milliseconds since 1970."""

    def __init__(self, database: sqlite3.Connection, at_ms: int) -> None:
        self._db = database
        self.at_ms = at_ms

    def do(self, statement: str, *values: object) -> None:
        """Change something."""
        self._db.execute(statement, values)

    def add(self, table: str, **values: object) -> int:
        """Add a row; returns its number."""
        names = ", ".join(values)
        places = ", ".join("?" * len(values))
        made = self._db.execute(f"INSERT INTO {table} ({names}) VALUES ({places})", tuple(values.values()))  # noqa: S608
        assert made.lastrowid is not None
        return made.lastrowid

    def rows(self, query: str, *values: object) -> list[Any]:
        """The rows of a query inside the transaction."""
        return self._db.execute(query, values).fetchall()


def now_ms() -> int:
    """The wall clock, in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


_ADVICE = {
    "SQLITE_FULL": "the disk is full; what was recorded is kept: free some space, then resume",
    "SQLITE_IOERR": "cannot be written or read; what was recorded is kept: look at the disk, then resume",
    "SQLITE_READONLY": "cannot be written to; what was recorded is kept: make it writable, or set {variable} to a folder that is",
    "SQLITE_CANTOPEN": "cannot be opened; make its folder readable and writable, or set {variable} to one that is",
    "SQLITE_BUSY": "another process has locked it for more than 30 s; end that process, or try again",
    "SQLITE_NOTADB": "is not a store of sessions; move it away, or set {variable} to another folder",
    "SQLITE_CORRUPT": "is damaged; move it away (`sqlite3 FILE .recover` saves what can be read), or set {variable} to another folder",
}
_OTHERWISE = "cannot be used; move it away, or set {variable} to another folder"
