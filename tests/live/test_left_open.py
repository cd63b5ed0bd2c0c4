"""What a process has of the operating system when it dies: files that it has locked, and transactions that it has begun."""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
import threading
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import pytest

from sim.live import execution
from sim.live.leaving import leave
from sim.live.left_open import LeftOpen
from sim.live.threads.databases import Databases
from tests.live.small import Main, installed_once, runs, usual  # noqa: F401

FORCED = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="the system does not list open files")


def lock(path: Path) -> int:
    number = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return number


def begin(path: Path, row: int) -> sqlite3.Connection:
    one = sqlite3.connect(path, timeout=0)
    one.execute("begin immediate")
    one.execute("insert into t values (?)", (row,))
    return one


async def killed(world: Any, process: Any) -> None:
    """Runs `process` until it waits, and kills it."""
    world.command("victim", process)
    victim = await asyncio.create_subprocess_exec("victim")
    await asyncio.sleep(1)
    victim.kill()
    assert await victim.wait() == -9


async def locks_a_file(world: Any) -> None:
    path = world.folder / "lock"

    async def locking(_: Any) -> None:
        number = lock(path)
        try:
            await asyncio.Event().wait()
        finally:
            os.close(number)

    await killed(world, locking)
    os.close(lock(path))


async def begins_in_the_loop(world: Any) -> None:
    path = world.folder / "a.db"
    sqlite3.connect(path).execute("create table t (n)")

    async def beginning(_: Any) -> None:
        one = begin(path, 1)
        rows = one.execute("select n from t")
        next(rows)
        await asyncio.Event().wait()
        one.commit()

    await killed(world, beginning)
    begin(path, 2).commit()
    assert sqlite3.connect(path).execute("select n from t").fetchall() == [(2,)]


async def begins_in_a_thread(world: Any) -> None:
    path = world.folder / "a.db"
    sqlite3.connect(path).execute("create table t (n)")
    forever = threading.Event()

    def write() -> None:
        one = begin(path, 1)
        forever.wait()
        one.commit()

    async def beginning(_: Any) -> None:
        await asyncio.to_thread(write)

    await killed(world, beginning)
    begin(path, 2).commit()
    assert sqlite3.connect(path).execute("select n from t").fetchall() == [(2,)]


@pytest.mark.parametrize("main", [locks_a_file, begins_in_the_loop, begins_in_a_thread])
def test_whoever_comes_after_a_process_that_was_killed_finds_nothing_of_it(main: Main) -> None:
    assert usual(main).finding is None
    assert {run.finding for run in runs(main, seeds=10)} == {None}


def test_without_that_everything_stays_locked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LeftOpen, "lose", lambda *_: None)
    monkeypatch.setattr(Databases, "lost", lambda *_: ())
    for main, said in (
        (locks_a_file, "BlockingIOError"),
        (begins_in_the_loop, "database is locked"),
        (begins_in_a_thread, "database is locked"),
    ):
        finding = usual(main).finding
        assert finding is not None
        assert said in finding.message


async def leaves_files_open(world: Any) -> None:
    for n in range(5):
        os.open(world.folder / f"{n}", os.O_RDWR | os.O_CREAT)
    by_object = open(os.open(world.folder / "object", os.O_RDWR | os.O_CREAT), "w")  # noqa: SIM115
    by_object.close()
    os.close(os.open(world.folder / "closed", os.O_RDWR | os.O_CREAT))


@FORCED
def test_what_is_left_open_is_closed_with_the_run_and_nothing_else() -> None:
    usual(leaves_files_open)
    before = os.listdir("/proc/self/fd")
    usual(leaves_files_open)
    assert os.listdir("/proc/self/fd") == before


def test_a_number_that_was_closed_elsewhere_and_taken_again_stays_open(tmp_path: Path) -> None:
    files = LeftOpen()
    number = os.open(tmp_path / "one", os.O_RDWR | os.O_CREAT)
    files.opened(number, "main")
    os.close(number)
    again = os.open(tmp_path / "other", os.O_RDWR | os.O_CREAT)
    assert again == number
    files.close()
    os.close(again)


# --- tables of libraries ----------------------------------------------------------------------------------

SCOPES: WeakKeyDictionary[Any, Scope] = WeakKeyDictionary()
"""By task, as a library may have it: each scope knows its task."""


class Scope:
    """Is left only by the task that has entered it."""

    def __enter__(self) -> None:
        self.task = asyncio.current_task()
        SCOPES[self.task] = self

    def __exit__(self, *_: object) -> None:
        if asyncio.current_task() is not self.task:
            raise RuntimeError("it was entered by another task")
        del SCOPES[self.task]


async def dies_in_a_scope(world: Any) -> None:
    async def entering(_: Any) -> None:
        with Scope():
            await asyncio.Event().wait()

    await killed(world, entering)


def test_a_table_of_a_library_keeps_no_run_that_was_left(monkeypatch: pytest.MonkeyPatch) -> None:
    usual(dies_in_a_scope)
    assert not SCOPES
    monkeypatch.setattr(execution, "leave_task", lambda task: leave(task.get_coro()))
    usual(dies_in_a_scope)
    assert SCOPES
    SCOPES.clear()
