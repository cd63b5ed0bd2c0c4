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
from typing import Any

from sim.base.errors import ConfigError
from sim.campaign.maker import Maker

WAIT_S = 30.0
"""Seconds that a writer waits for another."""
SQLITE_MIN = (3, 37)
"""The first version with STRICT tables."""

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE session (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        project TEXT NOT NULL,
        plan TEXT NOT NULL,
        system TEXT NOT NULL,
        branch TEXT,
        work_tree TEXT,
        state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'stopped', 'done')),
        seconds REAL NOT NULL DEFAULT 0,
        created_ms INTEGER NOT NULL,
        active_ms INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX session_of_branch ON session (project, branch, active_ms);

    CREATE TABLE part (
        id INTEGER PRIMARY KEY,
        session INTEGER NOT NULL REFERENCES session,
        version TEXT NOT NULL,
        code TEXT NOT NULL,
        branch TEXT,
        commit_id TEXT,
        dirty INTEGER,
        created_ms INTEGER NOT NULL,
        coverage BLOB
    ) STRICT;
    CREATE INDEX part_of_session ON part (session);

    CREATE TABLE chunk (
        session INTEGER NOT NULL REFERENCES session,
        first INTEGER NOT NULL CHECK (first >= 0),
        size INTEGER NOT NULL CHECK (size > 0),
        part INTEGER NOT NULL REFERENCES part,
        schedules INTEGER NOT NULL,
        steps INTEGER NOT NULL,
        cut_short INTEGER NOT NULL,
        seconds REAL NOT NULL,
        sample TEXT NOT NULL,
        coverage BLOB,
        PRIMARY KEY (session, first)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE finding (
        session INTEGER NOT NULL,
        first INTEGER NOT NULL,
        number INTEGER NOT NULL,
        property TEXT NOT NULL,
        shape TEXT NOT NULL,
        found TEXT NOT NULL,
        scenario TEXT NOT NULL,
        PRIMARY KEY (session, first, number),
        FOREIGN KEY (session, first) REFERENCES chunk
    ) STRICT;

    CREATE TABLE known (
        id INTEGER PRIMARY KEY,
        system TEXT NOT NULL,
        property TEXT NOT NULL,
        shape TEXT NOT NULL,
        scenario TEXT NOT NULL,
        session INTEGER NOT NULL REFERENCES session,
        state TEXT NOT NULL DEFAULT 'violated' CHECK (state IN ('violated', 'fixed', 'unfit')),
        code TEXT NOT NULL,
        commit_id TEXT,
        UNIQUE (system, property, shape)
    ) STRICT;
    """,
    "ALTER TABLE session ADD COLUMN seal TEXT NOT NULL DEFAULT ''",
)
"""Scripts that migrate a store from version k to k + 1; `user_version` is its version."""


class CampaignStore:
    """An open store; without a maker, nobody's. Raises `ConfigError` if the file cannot be used, or can no longer be
    written."""

    def __init__(self, file: Path, migrations: Sequence[str] = MIGRATIONS, *, maker: Maker | None = None) -> None:
        if sqlite3.sqlite_version_info < SQLITE_MIN:
            raise ConfigError(f"SQLite {sqlite3.sqlite_version} is too old for sessions; use 3.37 or later")
        self.file = file
        self._maker, self._place = maker, str(file.resolve())
        with self._told():
            self._db = sqlite3.connect(file, timeout=WAIT_S, isolation_level=None)
            self._db.row_factory = sqlite3.Row
        try:
            self._refuse_what_is_not_ours()
            self._which = self._now()
            with self._told():
                self._db.execute("PRAGMA journal_mode = WAL")
                self._db.execute("PRAGMA synchronous = NORMAL")
                self._db.execute("PRAGMA foreign_keys = ON")
                self._db.execute("PRAGMA trusted_schema = OFF")
            self._migrate(migrations)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def __enter__(self) -> CampaignStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        """The rows of a query."""
        with self._told():
            return self._db.execute(query, values).fetchall()

    def seal(self, project: str, plan: str) -> str:
        """The seal of a session in this store, which says that its maker is ours; empty in a store without a maker."""
        return "" if self._maker is None else self._maker.seal(self._place, project, plan)

    def is_own(self, row: sqlite3.Row) -> bool:
        """Whether we made the session that a row holds, here."""
        return self._maker is not None and self._maker.has_sealed(row["seal"], self._place, row["project"], row["plan"])

    @contextmanager
    def understood(self) -> Iterator[None]:
        """Stored data is decoded: if that fails, the store is damaged."""
        try:
            yield
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
            why = f"its content cannot be decoded: {type(error).__name__}: {error}"
            raise ConfigError(f"{self.file}: {_ADVICE['SQLITE_CORRUPT']} ({why})") from None

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
        missing = {("table", name) for name in ("session", "part", "chunk")} - {*found}
        if found and (missing or any(kind != "table" for kind, _ in found)):
            raise ConfigError(f"{self.file}: {_ADVICE['SQLITE_NOTADB']} (it is a database of another program)")

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
                f"{self.file}: has version {self._version()}, this roundsim knows {newest}; "
                "use the roundsim that wrote it, or another SIM_HOME"
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
            raise ConfigError(f"{self.file}: {_advice(error)}") from None
        except (UnicodeError, OverflowError) as error:
            raise ConfigError(f"{self.file}: {_ADVICE['SQLITE_CORRUPT']} ({error})") from None


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
    "SQLITE_READONLY": "cannot be written to; what was recorded is kept: make it writable, or set SIM_HOME to a folder that is",
    "SQLITE_CANTOPEN": "cannot be opened; make its folder readable and writable, or set SIM_HOME to one that is",
    "SQLITE_BUSY": f"another process has locked it for more than {WAIT_S:g} s; end that process, or try again",
    "SQLITE_NOTADB": "is not a store of sessions; move it away, or set SIM_HOME to another folder",
    "SQLITE_CORRUPT": "is damaged; move it away (`sqlite3 FILE .recover` saves what can be read), or set SIM_HOME to another folder",
}


def _advice(error: sqlite3.DatabaseError) -> str:
    code = getattr(error, "sqlite_errorname", "") or ""
    for name, advice in _ADVICE.items():
        if code.startswith(name):
            return f"{advice} ({error})"
    return f"{error}; move it away, or set SIM_HOME to another folder"
