"""A thread that waits where a run cannot see it is told, with what it does and where, and nothing hangs."""

from __future__ import annotations

import asyncio
import os
import queue
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sim.base.errors import RefusedError
from sim.live.threads import blocking, run_threads
from tests.live.digests import ROOT
from tests.live.small import usual

UNSEEN = """
import asyncio, os
from sim import Program

async def main(world):
    read, _ = os.pipe()
    await asyncio.to_thread(os.read, read, 1)

def system():
    return Program(main)
"""


async def waits_unseen(_: Any) -> None:
    read, write = os.pipe()
    try:
        await asyncio.to_thread(os.read, read, 1)
    finally:
        os.write(write, b"x")


async def computes(_: Any) -> None:
    def count() -> None:
        for _ in range(10_000_000):
            pass

    await asyncio.to_thread(count)


async def gets(_: Any) -> None:
    await asyncio.to_thread(queue.SimpleQueue().get)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_threads, "PATIENCE_S", 0.5)


def test_a_thread_that_waits_where_nobody_sees_it_is_told() -> None:
    with pytest.raises(RefusedError, match="the thread asyncio waits where a run cannot see it, in read"):
        usual(waits_unseen)


def test_one_that_computes_is_waited_for() -> None:
    assert usual(computes).finding is None


def test_what_is_not_swapped_is_told_as_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(blocking.ENTRIES, blocking.QUEUE)
    with pytest.raises(RefusedError, match=r"cannot see it, in SimpleQueue\.get: "):
        usual(gets)


def test_the_command_says_so_in_one_line_and_ends(tmp_path: Path) -> None:
    (tmp_path / "unseen.py").write_text(UNSEEN)
    path = os.pathsep.join([str(ROOT), str(ROOT / "sim" / "beside"), str(tmp_path)])
    done = subprocess.run(
        [sys.executable, "-m", "sim", "fuzz", "unseen"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    (line,) = done.stderr.splitlines()
    assert done.returncode == 2
    assert line.startswith("sim: the thread asyncio waits where a run cannot see it, in read: let it wait for locks")
    assert "it stands in " in line
