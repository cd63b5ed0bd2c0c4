"""Journals of both kinds: each test that asks for `where` is run on a file of SQLite and on a real server of PostgreSQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest

from sim.host.postgres_address import parse_address
from tests.database_server import database_server


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The address of a server that runs for as long as the tests do."""
    with database_server() as address:
        yield address


_NUMBERS = count(1)


@pytest.fixture
def schema(server: str) -> str:
    """The address of a schema that nobody has used yet."""
    return f"{server}&schema=journal_{next(_NUMBERS)}"


@pytest.fixture(params=["sqlite", "postgres"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a new journal may be."""
    if request.param == "sqlite":
        return str(tmp_path / "run.db")
    return str(request.getfixturevalue("schema"))


Damage = Callable[..., None]


@pytest.fixture
def damage(where: str) -> Damage:
    """Does something to a journal behind its back: a statement of SQL that both databases know, without values."""

    def do(statement: str) -> None:
        if where.startswith("postgresql:"):
            address = parse_address(where)
            with psycopg.connect(**address.options, autocommit=True) as connection:
                connection.execute(f"SET search_path TO {address.schema}")
                connection.execute(statement)
        else:
            connection = sqlite3.connect(where, isolation_level=None)
            connection.execute(statement)
            connection.close()

    return do
