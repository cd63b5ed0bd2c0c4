"""What only a server has: addresses, permissions, connections that break; each told in one line, without a secret in it."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

from sim.base.errors import ConfigError
from sim.host.database import MIGRATIONS
from sim.host.journal import Journal, open_journal
from sim.host.postgres import Postgres, as_postgres, numbered
from sim.host.postgres_address import parse_address
from tests import database_server
from tests.host.council import council, until_over
from tests.host.journaling import ROOT, entry, lines_of

SECRET = "s3cr3t-word"


@pytest.fixture
def admin(server: str) -> Iterator[psycopg.Connection[Any]]:
    """A user who may do everything."""
    with psycopg.connect(server, autocommit=True) as connection:
        yield connection


def told(what: Callable[[], object]) -> str:
    """The one line that a mistake is told in."""
    with pytest.raises(ConfigError) as error:
        what()
    (line,) = error.value.mistakes
    assert "\n" not in line
    assert SECRET not in line
    return line


# --- addresses --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "name", "schema"),
    [
        ("postgresql://", "postgresql:///", "roundsim"),
        (f"postgresql://me:{SECRET}@db.example:5433/runs", "postgresql://me@db.example:5433/runs", "roundsim"),
        (
            f"postgres://me@h/runs?sslpassword={SECRET}&schema=two&application_name=x",
            "postgresql://me@h/runs?schema=two",
            "two",
        ),
        (f"postgresql:///runs?host=/run/pg&password={SECRET}", "postgresql:///runs?host=/run/pg", "roundsim"),
        ("postgresql://a,b/runs?schema=x_1", "postgresql://a,b/runs?schema=x_1", "x_1"),
    ],
)
def test_an_address_is_shown_without_its_secrets(address: str, name: str, schema: str) -> None:
    found = parse_address(address)
    assert (found.name, found.schema) == (name, schema)
    assert SECRET not in repr(found)
    assert "schema" not in found.options


@pytest.mark.parametrize(
    ("address", "says"),
    [
        (
            f"postgresql://me:{SECRET}%zz@h/runs",
            "this address of a journal cannot be read; expected postgresql://USER@",
        ),
        (f"postgresql://me:{SECRET}@h/runs?nonsense={SECRET}", "this address of a journal cannot be read"),
        (f"postgresql://me:{SECRET}@[h/runs", "this address of a journal cannot be read"),
        ("postgresql://h/runs?schema=", "schema '': expected a name of small letters"),
        ("postgresql://h/runs?schema=a-b", "schema 'a-b': expected a name"),
        ("postgresql://h/runs?schema=pg_catalog", "schema 'pg_catalog': expected a name"),
        ("postgresql://h/runs?schema=" + "x" * 64, "at most 63"),
    ],
)
def test_an_address_that_is_none_is_told_without_showing_it(address: str, says: str) -> None:
    assert says in told(lambda: parse_address(address))


@pytest.mark.parametrize(
    ("address", "mode"),
    [
        ("postgresql://db.example/runs", "require"),
        ("postgresql://localhost,db.example/runs", "require"),
        ("postgresql:///runs?hostaddr=10.0.0.1", "require"),
        ("postgresql://db.example/runs?sslmode=verify-full", "verify-full"),
        ("postgresql://db.example/runs?service=mine", None),
        ("postgresql://localhost/runs", None),
        ("postgresql://127.0.0.1/runs", None),
        ("postgresql:///runs?host=/run/pg", None),
        ("postgresql:///runs", None),
    ],
)
def test_nobody_listens_on_the_way_to_another_machine(
    address: str, mode: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PGHOST", "PGSERVICE", "PGSSLMODE"):
        monkeypatch.delenv(name, raising=False)
    assert parse_address(address).options.get("sslmode") == mode


def test_a_secret_in_the_words_of_others_is_covered_and_they_are_one_line() -> None:
    address = parse_address(f"postgresql://me:{SECRET}@h/runs?sslpassword=other-one")
    assert address.without_secrets(f"FATAL: {SECRET}\n  DETAIL: other-one\n") == "FATAL: ***; DETAIL: ***"
    assert parse_address("postgresql://h").without_secrets("as it is") == "as it is"


# --- statements -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "sent"),
    [
        ("DELETE FROM mail WHERE id = ?", "DELETE FROM mail WHERE id = $1"),
        ("INSERT INTO t VALUES (?, ?, '?', ?)", "INSERT INTO t VALUES ($1, $2, '?', $3)"),
        ("SELECT 'it''s ?', \"a?\"\"?\" -- why?\n, ?", "SELECT 'it''s ?', \"a?\"\"?\" -- why?\n, $1"),
        ("SELECT 100 % 7, '%s' LIKE ?", "SELECT 100 % 7, '%s' LIKE $1"),
    ],
)
def test_a_place_for_a_value_is_told_from_a_question_mark_that_is_quoted(statement: str, sent: str) -> None:
    assert numbered(statement) == sent


def test_places_are_what_the_server_makes_of_them(schema: str) -> None:
    with open_journal(schema) as journal:
        ((text, rest, like),) = journal.database.rows("SELECT 'it''s ?' || ?, 100 % 7, '50%' LIKE ?", " so", "5_%")
        assert (text, rest, like) == ("it's ? so", 2, True)


def test_a_statement_is_prepared_once_whatever_its_numbers_are(schema: str) -> None:
    with open_journal(schema) as journal:
        for number in (1, 40_000, 3_000_000_000, 2**62):
            journal.mail_to(["b"], number, 9)
        query = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%' || ? || '%'"
        assert journal.database.rows(query, "FROM mail") == [(1,)]


def test_types_are_those_of_the_server() -> None:
    made = as_postgres("CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT")
    assert made.rstrip() == 'CREATE TABLE t (id BIGINT PRIMARY KEY, text TEXT COLLATE "C" NOT NULL)'


# --- a server that cannot be used -------------------------------------------------------------------------


def test_a_server_that_is_not_there_is_told(tmp_path: Path) -> None:
    line = told(lambda: open_journal(f"postgresql://me:{SECRET}@/runs?host={tmp_path}"))
    assert line.startswith(f"postgresql://me@/runs?host={tmp_path}: cannot be used (")
    assert "No such file or directory" in line
    assert "does the server run" in line


def test_a_wrong_password_is_told_and_the_right_one_is_in_no_line(server: str, admin: psycopg.Connection[Any]) -> None:
    role = database_server.LOCKED
    admin.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'right'")
    address = server.replace("user=tester", f"user={role}&password={SECRET}")
    line = told(lambda: open_journal(address))
    assert f'password authentication failed for user "{role}"' in line
    assert "PGPASSWORD" in line
    line = told(lambda: open_journal(server.replace("user=tester", f"user={role}")))
    assert "no password supplied" in line
    line = told(lambda: open_journal(address.replace(SECRET, "right")))  # it lets us in, but for more than that
    assert "permission denied for database" in line


def test_a_database_that_is_not_there_or_takes_not_every_character_is_told(
    server: str, admin: psycopg.Connection[Any]
) -> None:
    assert 'database "nowhere" does not exist' in told(lambda: open_journal(server.replace("/postgres?", "/nowhere?")))
    admin.execute("CREATE DATABASE old ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
    assert "is a database in LATIN1; make one with ENCODING 'UTF8'" in told(
        lambda: open_journal(server.replace("/postgres?", "/old?"))
    )


def test_a_user_who_may_not_make_a_schema_uses_one_that_was_made_for_him(
    schema: str, server: str, admin: psycopg.Connection[Any]
) -> None:
    admin.execute("CREATE ROLE guest LOGIN")
    address = schema.replace("user=tester", "user=guest")
    name = parse_address(schema).schema
    assert f"let the schema {name} and its tables belong to the user" in told(lambda: open_journal(address))
    admin.execute(f"CREATE SCHEMA {name} AUTHORIZATION guest")
    with open_journal(address) as journal:
        journal.begin("s", {}, entry(1), 1)
    admin.execute(f"REVOKE INSERT ON {name}.mail FROM guest")
    with open_journal(address) as journal:
        assert "permission denied for table mail" in told(lambda: journal.keep(entry(2)))
        assert lines_of(journal) == [1]


def test_a_pooler_is_refused_since_it_would_keep_no_lease(schema: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_journal(schema) as journal:
        monkeypatch.setattr(psycopg.ConnectionInfo, "backend_pid", property(lambda _: 1))
        assert "is a pooler, which holds nothing for us" in told(journal.database.hold)


def test_a_missing_library_is_told_with_what_to_install(schema: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    assert told(lambda: open_journal(schema)) == "psycopg is not installed; pip install 'roundsim[postgres]'"


# --- what a server says while it is used ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ("53100", "the server's disk is full; what was journaled is kept: free some space, then resume"),
        ("53200", "lacks memory or other resources"),
        ("40001", "was written to by somebody else at the same time"),
        ("40P01", "was written to by somebody else at the same time"),
        ("25006", "cannot be written to; name the address of the primary server"),
        ("57014", "raise its statement_timeout"),
        ("58030", "cannot read or write its disk"),
        ("XX001", "is damaged; restore it from a copy"),
        ("P0001", "cannot be used"),
    ],
)
def test_each_error_is_told_with_what_to_do_and_leaves_nothing(
    schema: str, admin: psycopg.Connection[Any], state: str, says: str
) -> None:
    name = parse_address(schema).schema
    with open_journal(schema) as journal:
        journal.begin("s", {}, entry(1), 1)
        admin.execute(f"SET search_path TO {name}")
        admin.execute(f"""CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            RAISE EXCEPTION 'the words of the server' USING ERRCODE = '{state}', DETAIL = '{SECRET}'; END $$""")
        admin.execute("CREATE TRIGGER fails BEFORE INSERT ON mail FOR EACH ROW EXECUTE FUNCTION fails()")
        line = told(lambda: journal.keep(entry(2)))
        assert line.startswith(f"{journal.database.name}: ")
        assert says in line
        assert line.endswith("(the words of the server)")
        admin.execute("DROP TRIGGER fails ON mail")
        journal.keep(entry(2))
        assert lines_of(journal) == [1, 2]
    admin.execute(f"CREATE TRIGGER fails BEFORE INSERT ON {name}.mail FOR EACH ROW EXECUTE FUNCTION {name}.fails()")
    assert "is not a journal" in told(lambda: open_journal(schema)), "a trigger could change what is written"


def test_somebody_who_keeps_a_table_locked_is_told(
    schema: str, admin: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sim.host.postgres.WAIT_MS", 50)
    with open_journal(schema) as journal:
        journal.begin("s", {}, entry(1), 1)
        with admin.transaction():
            admin.execute(f"LOCK TABLE {parse_address(schema).schema}.mail")
            assert "somebody else has locked it for more than 30 s" in told(lambda: journal.keep(entry(2)))
        journal.keep(entry(2))


def test_settings_of_the_user_do_not_weaken_a_journal(schema: str, admin: psycopg.Connection[Any]) -> None:
    admin.execute("CREATE ROLE hasty LOGIN SUPERUSER")
    for setting in (
        "synchronous_commit = off",
        "default_transaction_isolation = serializable",
        "search_path = pg_temp",
    ):
        admin.execute(f"ALTER ROLE hasty SET {setting}")
    with open_journal(schema.replace("user=tester", "user=hasty")) as journal:
        names = ("synchronous_commit", "default_transaction_isolation", "transaction_isolation")
        shown = [journal.database.rows(f"SHOW {name}")[0][0] for name in names]
        assert shown == ["on", "read committed", "read committed"]
        assert "public" not in str(journal.database.rows("SELECT current_schemas(true)"))


# --- a connection that breaks -----------------------------------------------------------------------------


def cut(database: Postgres, admin: psycopg.Connection[Any]) -> None:
    """The server ends the connection of a journal."""
    ((pid,),) = database.rows("SELECT pg_backend_pid()")
    admin.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


def goes_on(kind: type[Postgres], address: str, admin: psycopg.Connection[Any]) -> list[str]:
    """What a host could still do behind a connection that is gone, while another host has the journal."""
    first, second = (Journal(kind(address, MIGRATIONS)) for _ in range(2))
    with first, second:
        first.database.hold()
        first.begin("s", {}, entry(1), 1)
        cut(first.database, admin)  # type: ignore[arg-type]
        second.database.hold()
        done = []
        tries: dict[str, Callable[[], object]] = {
            "read": first.sessions,
            "write": lambda: first.keep(entry(2)),
            "hold": lambda: first.database.rows("SELECT 1"),
            "write again": lambda: first.keep(entry(3)),
        }
        for what, attempt in tries.items():
            with suppress(ConfigError):
                attempt()
                done.append(what)
        return done


class Reconnecting(Postgres):
    """Makes a lost connection anew, as many libraries do."""

    def _again(self) -> None:
        try:
            self._db.execute("SELECT 1")
        except psycopg.Error:
            self._db = psycopg.connect(**self._address.options, autocommit=True, cursor_factory=psycopg.RawCursor)
            self._set_up()

    def rows(self, query: str, *values: object) -> Any:
        self._again()
        return super().rows(query, *values)

    def writing(self) -> Any:
        self._again()
        return super().writing()


def test_a_host_never_goes_on_when_the_connection_of_its_lease_is_gone(
    schema: str, admin: psycopg.Connection[Any]
) -> None:
    assert goes_on(Postgres, schema, admin) == []
    with open_journal(schema) as journal:
        cut(journal.database, admin)  # type: ignore[arg-type]
        for _ in range(2):
            assert "the connection is lost, and with it the hold on this journal" in told(journal.sessions)


def test_a_database_that_connects_again_is_caught(schema: str, admin: psycopg.Connection[Any]) -> None:
    assert "write" in goes_on(Reconnecting, schema, admin)


def test_a_connection_that_is_lost_in_the_middle_of_an_input_leaves_nothing_of_it(
    schema: str, admin: psycopg.Connection[Any]
) -> None:
    with open_journal(schema) as journal:
        journal.begin("s", {}, entry(1), 1)

        def half() -> None:
            with journal.database.writing() as change:
                change.rows("SELECT 1")
                change.do("DELETE FROM trace")
                cut(journal.database, admin)  # type: ignore[arg-type]

        assert "the connection is lost" in told(half)
    with open_journal(schema) as journal:
        assert lines_of(journal) == [1]


def test_a_lost_connection_stops_the_host_and_the_next_goes_on(schema: str, admin: psycopg.Connection[Any]) -> None:
    async def lost() -> None:
        async with council(schema) as host:
            await host.start("s", agents=2, rounds=3, stop=False)
            cut(host.journal.database, admin)  # type: ignore[arg-type]
            await host.until_over("s")

    assert "the connection is lost" in told(lambda: asyncio.run(lost()))
    asyncio.run(until_over(schema, 3))
    with open_journal(schema) as journal:
        assert journal.sessions()["s"][1] == "over"


# --- the server of the tests ------------------------------------------------------------------------------


def test_without_a_server_the_tests_fail_and_say_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(database_server, "DEBIAN", tmp_path)
    monkeypatch.setattr(database_server, "BESIDE", tmp_path)
    with pytest.raises(AssertionError, match="no PostgreSQL: `make unit` installs it where it can; else install"):
        database_server.programs()


def test_the_server_of_the_tests_ends_with_them_also_when_they_are_killed() -> None:
    code = (
        "from tests.database_server import database_server\nimport sys\n"
        "with database_server() as address:\n    print(address, flush=True)\n    sys.stdin.readline()"
    )
    path = os.pathsep.join([str(ROOT), str(ROOT / "sim/beside")])
    words = [sys.executable, "-c", code]
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path}
    ) as process:
        assert process.stdout is not None
        folder = Path(process.stdout.readline().partition("host=")[2].partition("&")[0])
        pid = int((folder / "data/postmaster.pid").read_text().split()[0])
        process.send_signal(signal.SIGKILL)
    for _ in range(500):
        if not Path(f"/proc/{pid}").exists():
            break
        time.sleep(0.02)
    else:
        raise AssertionError("it still runs")
    shutil.rmtree(folder)
