"""A journal in a database of PostgreSQL: in a schema of its own, one transaction an input, on the server's disk before
anything else happens.

There is one connection, and it is never made anew: the lease on the journal is an advisory lock of the connection, which
ends with it. A host that has lost its connection can write nothing any more, and stops; whoever comes next recovers.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from typing import TYPE_CHECKING, Any

from sim.base.errors import ConfigError
from sim.host.postgres_address import parse_address

if TYPE_CHECKING:
    import psycopg

WAIT_MS = 30_000
"""How long a writer waits for another."""
GRACE_S = 2.0
"""How long a host waits for the lease: a server notices a moment later that the last one was killed."""
TABLES = ("journal", "session", "machine", "mail", "trace")
"""By these it is known."""
VERSION = "version"
"""The table that says how many scripts of the migrations it has been through."""

LOST = "the connection is lost, and with it the hold on this journal; what was journaled is kept: look at the server, then resume"
_ADVICE = {
    "08": LOST,
    "22": "cannot hold this value; what was journaled is kept",
    "25006": "cannot be written to; name the address of the primary server",
    "40": "was written to by somebody else at the same time; what was journaled is kept: resume",
    "42501": "this user may not do that; let the schema {schema} and its tables belong to the user, or name another schema",
    "42703": "is damaged: a column is missing; restore it from a copy, or name another schema",
    "42P01": "is damaged: a table is missing; restore it from a copy, or name another schema",
    "53100": "the server's disk is full; what was journaled is kept: free some space, then resume",
    "53300": "the server takes no more connections; close some, or raise its max_connections",
    "53": "the server lacks memory or other resources; what was journaled is kept: look at the server, then resume",
    "55P03": "somebody else has locked it for more than 30 s; end who does, or try again",
    "57014": "the server has cancelled this; what was journaled is kept: raise its statement_timeout, then resume",
    "57P": LOST,
    "58": "the server cannot read or write its disk; what was journaled is kept: look at the disk, then resume",
    "XX": "is damaged; restore it from a copy, or name another schema",
}
"""What to do about an error, by how its SQLSTATE begins."""


class Postgres:
    """The database, connected; with `fresh` the tables are made if they are not there. Raises `ConfigError` for an
    address that cannot be read, a server that cannot be used, or tables of another program."""

    def __init__(self, dsn: str, migrations: tuple[str, ...], *, fresh: bool = True) -> None:
        try:
            import psycopg
        except ImportError:
            raise ConfigError("psycopg is not installed; pip install 'roundsim[postgres]'") from None
        self._address = parse_address(dsn)
        self._held = False
        try:
            self._db = psycopg.connect(**self._address.options, autocommit=True, cursor_factory=psycopg.RawCursor)
        except psycopg.Error as error:
            raise ConfigError(f"{self.name}: cannot be used ({self._said(error)}); {_LOOK}") from None
        try:
            with self._told():
                self._set_up()
            self._make(migrations, fresh)
        except BaseException:
            self.close()
            raise

    @property
    def name(self) -> str:
        """What to call it."""
        return self._address.name

    def close(self) -> None:
        """Close the connection, and give the lease back."""
        self._db.close()

    def rows(self, query: str, *values: object) -> Sequence[Any]:
        """The rows of a query."""
        with self._told():
            return self._db.execute(numbered(query), values, prepare=True).fetchall()

    @contextmanager
    def writing(self) -> Iterator[Batch]:
        """One transaction: all of it is kept, or nothing."""
        with self._told():
            change = Batch(self._db, _key("alone", self._address.schema))
            try:
                yield change
                change.commit()
            except BaseException:
                if not self._db.closed and self._db.info.transaction_status:
                    with suppress(self._errors):  # it is lost meanwhile: then the server does it
                        self._db.execute("ROLLBACK")
                raise

    def hold(self) -> None:
        """Nobody else may host this journal, until the connection ends. Raises `ConfigError` if somebody does."""
        if self._held:
            return
        key, until = _key("host", self._address.schema), time.monotonic() + GRACE_S
        while not self._held:
            ((pid, self._held),) = self.rows("SELECT pg_backend_pid(), pg_try_advisory_lock(?)", key)
            if time.monotonic() > until:
                break
            time.sleep(0.02)
        if not self._held:
            raise ConfigError(f"{self.name}: is hosted already; end who does, or name another journal")
        if pid != self._db.info.backend_pid:
            raise ConfigError(
                f"{self.name}: is a pooler, which holds nothing for us; name the address of the server itself"
            )

    # --- making it --------------------------------------------------------------------------------------

    def _set_up(self) -> None:
        """The connection is as a journal needs it, whatever the server's or the user's settings are."""
        from psycopg.types.numeric import Int8Dumper

        self._db.adapters.register_dumper(int, Int8Dumper)  # else a statement is prepared anew for each size of numbers
        ((encoding,),) = self._db.execute("SELECT pg_catalog.current_setting('server_encoding')")
        if encoding != "UTF8":
            raise ConfigError(f"{self.name}: is a database in {encoding}; make one with ENCODING 'UTF8'")
        settings = {
            "search_path": f'"{self._address.schema}"',
            "synchronous_commit": "on",
            "default_transaction_isolation": "read committed",
            "lock_timeout": WAIT_MS,
            "idle_in_transaction_session_timeout": 0,
            "idle_session_timeout": 0,
        }
        for setting, value in settings.items():
            self._db.execute("SELECT pg_catalog.set_config($1, $2, false)", [setting, str(value)])

    def _make(self, migrations: tuple[str, ...], fresh: bool) -> None:
        """The tables are there, in this version."""
        newest = len(migrations)
        found = self._version()
        if not found and not fresh:
            raise ConfigError(f"{self.name}: there is no such journal")
        if found < newest:
            with self.writing() as change:
                change.alone()
                found = self._version()  # another process may have been first
                if not self._schema():
                    change.do(f'CREATE SCHEMA "{self._address.schema}"')
                if not found:
                    change.do(f"CREATE TABLE {VERSION} (number BIGINT NOT NULL)")
                    change.do(f"INSERT INTO {VERSION} VALUES (0)")  # noqa: S608
                for script in migrations[found:]:
                    for statement in script.split(";\n"):
                        change.do(as_postgres(statement))
                change.do(f"UPDATE {VERSION} SET number = ?", max(newest, found))  # noqa: S608
        if found > newest:
            raise ConfigError(
                f"{self.name}: has version {found}, this roundsim knows {newest}; use the one that wrote it, or another schema"
            )

    def _version(self) -> int:
        """How many scripts it has been through. Raises `ConfigError` for what somebody else has in this schema."""
        found = {(str(kind), str(name)) for kind, name in self.rows(_CONTENT, self._address.schema)}
        if not found:
            return 0
        if not {("r", name) for name in (VERSION, *TABLES)} <= found or any(kind != "r" for kind, _ in found):
            raise ConfigError(
                f"{self.name}: the schema {self._address.schema} is not a journal, but holds what another program made; "
                "name another one in the address: ?schema=NAME"
            )
        return int(self.rows(f"SELECT max(number) FROM {VERSION}")[0][0] or 0)  # noqa: S608

    def _schema(self) -> bool:
        return bool(self.rows("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = ?", self._address.schema))

    # --- errors -----------------------------------------------------------------------------------------

    @property
    def _errors(self) -> type[psycopg.Error]:
        import psycopg

        return psycopg.Error

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Errors of the server and of the way to it, as mistakes that say what to do."""
        import psycopg

        try:
            yield
        except (psycopg.IntegrityError, psycopg.errors.SyntaxError):  # defects of ours
            raise
        except psycopg.Error as error:
            state = error.sqlstate or ""
            advice = next((advice for begin, advice in _ADVICE.items() if state.startswith(begin)), "cannot be used")
            if self._db.closed:
                advice = LOST
            elif isinstance(error, psycopg.DataError):
                advice = _ADVICE["22"]
            advice = advice.format(schema=self._address.schema)
            raise ConfigError(f"{self.name}: {advice} ({self._said(error)})") from None
        except (UnicodeError, OverflowError) as error:
            raise ConfigError(f"{self.name}: {_ADVICE['22']} ({error})") from None

    def _said(self, error: psycopg.Error) -> str:
        """Its first sentence: what follows may show rows."""
        return self._address.without_secrets(error.diag.message_primary or str(error))


class Batch:
    """An open transaction. What changes something is sent as a whole when somebody reads, or at the end: one way to the
    server and back."""

    def __init__(self, database: psycopg.Connection[Any], key: int) -> None:
        self._db, self._key = database, key
        self._waiting: list[tuple[str, tuple[object, ...]]] = [("BEGIN", ())]
        self._alone = False

    def do(self, statement: str, *values: object) -> None:
        """Change something."""
        self._waiting.append((statement, values))

    def rows(self, query: str, *values: object) -> Sequence[Any]:
        """The rows of a query. Who reads and then writes is alone: nobody writes in between."""
        self.alone()
        return self._db.execute(numbered(query), values, prepare=True).fetchall()

    def alone(self) -> None:
        """Nobody else who reads before writing is in a transaction from here on."""
        if not self._alone:
            self._alone = True
            self.do("SELECT pg_advisory_xact_lock(?)", self._key)
        self._send()

    def commit(self) -> None:
        """All of it is on the server's disk."""
        self.do("COMMIT")
        self._send()

    def _send(self) -> None:
        with self._db.pipeline():
            for statement, values in self._waiting:
                self._db.execute(numbered(statement), values, prepare=True)
        self._waiting.clear()


_LOOK = "is the address right, does the server run, and does it let this user in (a password may be in PGPASSWORD)?"
_CONTENT = """
SELECT CASE WHEN relhasrules OR relhastriggers THEN 'watched' ELSE relkind::text END, relname
FROM pg_catalog.pg_class
WHERE relkind NOT IN ('i', 'I', 't')
AND relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = ?)
"""
"""What is in a schema but for indices. Ours has no triggers and rules, which would change what we write or read."""


def _key(what: str, schema: str) -> int:
    """The number of an advisory lock."""
    return int.from_bytes(hashlib.sha256(f"roundsim {what} {schema}".encode()).digest()[:8], signed=True)


_PARTS = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\?""")


@cache
def numbered(statement: str) -> str:
    """A statement with $1, $2, ... for each ? that stands for a value; one that is quoted or in a comment does not."""
    count = 0

    def place(found: re.Match[str]) -> str:
        nonlocal count
        if found[0] != "?":
            return found[0]
        count += 1
        return f"${count}"

    return _PARTS.sub(place, statement)


_TYPES = {"INTEGER": "BIGINT", "TEXT": 'TEXT COLLATE "C"', "STRICT": ""}
"""What SQLite says -> what PostgreSQL says. Texts are in the order of their characters, as they are there."""


def as_postgres(statement: str) -> str:
    """A statement that makes a table or index."""
    return re.sub(r"\b(INTEGER|TEXT|STRICT)\b", lambda found: _TYPES[found[0]], statement)
