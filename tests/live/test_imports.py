"""A module that a program imports in the midst of its first run is loaded as it would be before: outside of the run."""

from __future__ import annotations

import asyncio
import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

from sim import Program, check, fuzz
from sim.base.errors import NondeterminismError
from sim.live import imports

LATE = """
import random, socket, threading, time

with socket.socket() as one:
    one.bind(("127.0.0.1", 0))      # the real network, as of a library that looks what there is
time.sleep(0)
threading.Thread(target=time.time).start()
DRAWN, LOADED_S = random.random(), time.time()
"""


async def asks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(await reader.readline())
    writer.close()


def loads(name: str) -> float:
    late = importlib.import_module(name)
    return float(late.LOADED_S)


@pytest.fixture
def late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "loaded_late.py").write_text(LATE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "loaded_late", raising=False)
    return "loaded_late"


def program(name: str, *, in_a_thread: bool) -> Program:
    async def main(world: Any) -> None:
        loaded_s = await asyncio.to_thread(loads, name) if in_a_thread else loads(name)
        assert loaded_s > 1_780_000_000, "by the world's own clock"
        world.serve("echo:80", asks)
        reader, writer = await asyncio.open_connection("echo", 80)
        writer.write(b"one\n")
        assert await reader.read() == b"one\n"
        writer.close()

    return Program(main)


@pytest.mark.parametrize("in_a_thread", [False, True])
def test_the_first_run_goes_as_the_others(late: str, in_a_thread: bool) -> None:
    assert not fuzz(program(late, in_a_thread=in_a_thread), schedules=10).found
    sys.modules.pop(late)
    assert check(program(late, in_a_thread=in_a_thread), deviations=1).finding is None


def test_what_is_not_there_is_missed_as_ever_and_the_run_goes_on(late: str) -> None:
    async def main(world: Any) -> None:
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module(f"{late}_not")
        assert asyncio.get_running_loop().time() == 0
        world.serve("echo:80", asks)

    assert not fuzz(Program(main), schedules=3).found


def test_one_that_is_loaded_within_the_run_is_told_from_that(late: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The planted fault: sockets of the first run alone have numbers, and the network of a run has no port 0 to look for."""
    monkeypatch.setattr(imports, "LOADING", "_not_called")
    monkeypatch.setattr(importlib._bootstrap, "_not_called", None, raising=False)  # type: ignore[attr-defined]
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # else the file of it is what is refused first
    Path(sys.path[0], f"{late}.py").write_text("import socket\nwith socket.socket() as one:\n    LOADED_S = 2e9\n")
    with pytest.raises(NondeterminismError):
        fuzz(program(late, in_a_thread=False), schedules=10)
