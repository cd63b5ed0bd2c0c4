"""Other threads of the process, which are not of the run, may have a lock that the run wants as well, as one of logging; and a
thread of the run may be one that never ends."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from sim import Program, check, fuzz
from sim.base.errors import NondeterminismError
from sim.live.threads import blocking
from tests.live.small import installed_once, usual  # noqa: F401

LOCK: Any = logging.Handler().lock


@contextmanager
def another_thread_has_it_at_times() -> Iterator[None]:
    over = threading.Event()

    def log() -> None:
        while not over.is_set():
            with LOCK:
                time.sleep(0.002)
            time.sleep(0.0005)

    thread = threading.Thread(target=log)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


async def logs(_: Any) -> None:
    def work() -> None:
        for _ in range(2):
            with LOCK:
                time.sleep(1)

    await asyncio.gather(asyncio.to_thread(work), asyncio.to_thread(work))
    with LOCK:
        pass


def test_a_lock_that_another_thread_has_is_no_choice() -> None:
    with another_thread_has_it_at_times():
        assert not fuzz(Program(logs), schedules=40).found


def test_one_that_is_taken_for_a_lock_of_the_run_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocking._RLOCKS, "_holder", lambda lock: None if repr(lock).startswith("<unlocked") else 0)
    with another_thread_has_it_at_times(), pytest.raises(NondeterminismError):
        checked_often(1_000)


def checked_often(times: int = 50) -> None:
    for _ in range(times):
        check(Program(logs), deviations=1)


async def never_lets_go(_: Any) -> None:
    def work() -> None:
        while True:
            with suppress(BaseException):
                time.sleep(1)

    threading.Thread(target=work, daemon=True).start()
    await asyncio.sleep(1)


def test_a_thread_that_takes_every_exception_is_given_up() -> None:
    assert usual(never_lets_go).finding is None
