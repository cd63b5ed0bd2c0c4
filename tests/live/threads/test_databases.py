"""SQLite from several threads: whoever finds the database locked waits in the run, and not really."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from typing import Any

import pytest

from sim import Program, check, fuzz
from sim.live.threads import databases
from tests.live.small import Main, installed_once, usual  # noqa: F401


def write(path: str, how: str) -> None:
    one = sqlite3.connect(path, isolation_level="IMMEDIATE")
    if how == "with":
        with one:
            one.execute("insert into t values (1)")
            time.sleep(1)
    else:
        one.cursor().execute("insert into t values (1)")
        time.sleep(1)
        one.commit()
    one.close()


async def takes_turns(world: Any, seconds: float = 0) -> None:
    path = str(world.folder / "a.db")
    with sqlite3.connect(path) as one:
        one.execute("create table t (n)")
    await asyncio.gather(*(asyncio.to_thread(write, path, how) for how in ("with", "by hand", "with")))
    assert one.execute("select count(*) from t").fetchone() == (3,)
    one.close()


async def holds_on(world: Any) -> None:
    path = str(world.folder / "a.db")
    one, other = sqlite3.connect(path), sqlite3.connect(path, 2.5)
    one.execute("create table t (n)")
    one.execute("begin immediate")

    def wait() -> float:
        before = time.monotonic()
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("begin immediate")
        return time.monotonic() - before

    assert wait() == 2.5  # the loop itself waits
    other.close()
    one.close()


@pytest.mark.parametrize("main", [takes_turns, holds_on], ids=lambda main: main.__name__)
def test_who_finds_it_locked_waits_as_long_as_was_said(main: Main) -> None:
    assert usual(main).finding is None
    assert not fuzz(Program(main), schedules=60).found
    assert check(Program(main), deviations=1).finding is None


def test_who_would_not_wait_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "DEFAULT_S", 0.0)
    found = fuzz(Program(takes_turns), schedules=60).found
    assert "database is locked" in found[0].counterexample.finding.message
