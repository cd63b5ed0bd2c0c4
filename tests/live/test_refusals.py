"""What cannot be simulated is refused at the call, and what is said there tells what to use instead."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import multiprocessing
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sim.base.errors import RefusedError
from sim.live import refusals
from sim.live.refusals import ASKS, CLOCK, ENDS, LOOPS, NETWORK, PLACE, PROCESSES, SIGNALS
from sim.live.surroundings import surroundings
from sim.live.threads.blocking import BLOCKS
from tests.live.surrounded import Nothing, entered, in_run

WRITING = "files are written only below the folder of the run, world.folder; this run has none"

Call = Callable[[], Any]


def connect() -> None:
    with socket.socket() as one:
        one.connect(("127.0.0.1", 9))


def bind() -> None:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))


def run_another() -> None:
    coroutine = asyncio.sleep(0)
    try:
        asyncio.run(coroutine)
    finally:
        coroutine.close()


CALLS: dict[str, tuple[Call, str]] = {
    "a new process of subprocess": (lambda: subprocess.run(["true"], check=False), PROCESSES),
    "os.system": (lambda: os.system("true"), PROCESSES),
    "os.fork": (lambda: os._exit(0) if os.fork() == 0 else None, PROCESSES),
    "os.posix_spawn": (lambda: os.posix_spawn("/bin/true", ["true"], {}), PROCESSES),
    "a new process of multiprocessing": (lambda: start("spawn"), PROCESSES),
    "os.fork of multiprocessing": (lambda: start("fork"), PROCESSES),
    "os._exit": (lambda: os._exit(3), ENDS),
    "os.abort": (lambda: os.abort(), ENDS),
    "another event loop": (lambda: asyncio.new_event_loop(), LOOPS),
    "another event loop of asyncio.run": (run_another, LOOPS),
    "time.sleep": (lambda: time.sleep(0), BLOCKS),
    "time.clock_settime": (lambda: time.clock_settime(time.CLOCK_REALTIME, 0), CLOCK),
    "signal.signal": (lambda: signal.signal(signal.SIGUSR1, signal.SIG_IGN), SIGNALS),
    "signal.alarm": (lambda: signal.alarm(0), SIGNALS),
    "os.kill": (lambda: os.kill(os.getpid(), 0), SIGNALS),
    "socket.connect": (connect, NETWORK),
    "socket.bind": (bind, NETWORK),
    "socket.getaddrinfo": (lambda: socket.getaddrinfo("localhost", 9), NETWORK),
    "input": (lambda: input(), ASKS),
    "os.chdir": (lambda: os.chdir("."), PLACE),
    "open": (lambda: open("refused.txt", "w"), WRITING),  # noqa: SIM115
    "open of a path": (lambda: Path("refused.txt").write_text("x"), WRITING),
    "os.open for writing": (lambda: os.open("refused.txt", os.O_CREAT | os.O_RDWR), WRITING),
    "open for writing of what is there": (lambda: open(file="refused.txt", mode="r+"), WRITING),  # noqa: SIM115
    "open of a copy": (lambda: shutil.copy(__file__, "refused.txt"), WRITING),
    "os.open of tempfile": (lambda: tempfile.mkstemp(), WRITING),
    "os.mkdir": (lambda: Path("refused").mkdir(), WRITING),
    "os.unlink": (lambda: os.unlink("refused.txt"), WRITING),
    "os.replace": (lambda: os.replace("refused.txt", "other"), WRITING),
    "os.replace of keywords": (lambda: os.replace(dst="refused.txt", src="other"), WRITING),
    "os.mkfifo": (lambda: os.mkfifo("refused.txt"), WRITING),
    "os.symlink": (lambda: os.symlink("here", "refused.txt"), WRITING),
    "os.truncate": (lambda: os.truncate("refused.txt", 0), WRITING),
    "os.chmod": (lambda: os.chmod("refused.txt", 0), WRITING),
    "os.utime": (lambda: os.utime("refused.txt"), WRITING),
    "sqlite3.connect": (lambda: sqlite3.connect("refused.db"), WRITING),
}


def start(method: str) -> None:
    multiprocessing.get_context(method).Process(target=print).start()


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not refused, as it should be, is written where it does no harm."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", CALLS)
def test_what_cannot_be_simulated_is_refused_with_what_to_use_instead(name: str) -> None:
    call, why = CALLS[name]
    with pytest.raises(RefusedError) as told:
        in_run(call)
    (line,) = told.value.mistakes
    assert line.startswith(f"{Path(__file__).name}:")
    assert f": {name.partition(' of ')[0]}" in line
    assert line.endswith(f"is refused in a run: {why}")
    assert surroundings.refused is told.value
    assert os.listdir() == []


@pytest.mark.parametrize(
    "name", ["time.clock_settime", "os.system", "socket.getaddrinfo", "input", "os.chdir", "os.kill"]
)
def test_a_function_that_is_left_out_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    last = name.rpartition(".")[2]
    kept = [(module, tuple(one for one in names if one != last), why) for module, names, why in refusals.REFUSED]
    monkeypatch.setattr(refusals, "REFUSED", kept)
    assert not refused(CALLS[name][0])


def test_a_method_of_sockets_that_is_left_out_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "SOCKETS", ("connect",))
    assert not refused(bind)


@pytest.mark.parametrize("name", ["os.mkdir", "os.symlink", "os.mkfifo"])
def test_a_kind_of_writing_that_is_left_out_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(refusals.CHANGES, name.removeprefix("os."))
    assert not refused(CALLS[name][0])


def refused(call: Call, **run: Any) -> bool:
    with entered(Nothing(**run)):
        try:
            call()
        except RefusedError:
            return True
        except (OSError, EOFError):
            return False
        return False


@pytest.mark.parametrize(
    "name", ["time.sleep", "signal.alarm", "os.system", "open of a path", "os.mkdir", "socket.bind"]
)
def test_outside_of_a_run_nothing_is_refused(name: str) -> None:
    with entered(Nothing()):
        surroundings.leave()
        CALLS[name][0]()
    assert surroundings.refused is None


def test_a_refusal_that_the_program_swallows_is_remembered() -> None:
    with entered(Nothing()):
        for call in (lambda: time.sleep(1), lambda: os.system("true")):
            with contextlib.suppress(Exception):
                call()
    assert surroundings.refused is not None
    assert "time.sleep" in str(surroundings.refused)


def test_another_thread_may_do_what_it_likes(tmp_path: Path) -> None:
    ready, done = threading.Event(), threading.Event()

    def write() -> None:
        ready.wait()
        time.sleep(0)
        (tmp_path / "written").write_text("x")
        done.set()

    other = threading.Thread(target=write)
    other.start()
    with entered(Nothing()):
        ready.set()
        while not done.is_set():
            pass
    other.join()
    assert (tmp_path / "written").exists()
    assert surroundings.refused is None


def test_files_are_read_anywhere_and_written_below_the_folder_of_the_run(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (tmp_path / "runs").mkdir()
    (folder / "out").symlink_to(tmp_path / "runs")

    def use() -> None:
        Path(__file__).read_text()
        os.listdir(tmp_path)
        inner = folder / "inner"
        inner.mkdir()
        (inner / "a").write_text("x")
        (inner / "a").rename(inner / "b")
        os.chmod(inner / "b", 0o600)
        os.utime(inner / "b")
        os.symlink("b", inner / "c")
        os.truncate(inner / "c", 0)
        sqlite3.connect(folder / "data.db").close()
        sqlite3.connect(":memory:").close()
        with tempfile.TemporaryDirectory(dir=folder) as other:
            Path(other, "d").write_bytes(b"")
        shutil.rmtree(inner)
        os.unlink(folder / "out")
        open(os.devnull, "w").close()

    linked = (folder / "out" / "x", folder / ".." / "x", tmp_path / "runs" / "x", os.fsencode(tmp_path / "x"))
    for path in linked:
        assert refused(lambda path=path: os.open(path, os.O_RDWR), folder=folder), path
    assert refused(lambda: os.rename(folder / "out", tmp_path / "out"), folder=folder)
    assert refused(lambda: os.link(__file__, folder / "linked"), folder=folder)
    in_run(use, folder=folder)
    assert os.listdir(folder) == ["data.db"]


def test_a_path_starts_at_the_folder_that_the_call_says(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    inside, outside = (os.open(folder, os.O_RDONLY) for folder in (tmp_path / "run", tmp_path))
    try:
        assert refused(lambda: os.mkdir("a", dir_fd=outside), folder=tmp_path / "run")
        assert refused(lambda: os.open("a", os.O_CREAT, dir_fd=outside), folder=tmp_path / "run")
        assert refused(lambda: os.mkdir("a", dir_fd=99_999), folder=tmp_path / "run")
        in_run(lambda: os.mkdir("a", dir_fd=inside), folder=tmp_path / "run")
        in_run(lambda: os.close(os.open("b", os.O_CREAT, dir_fd=inside)), folder=tmp_path / "run")
    finally:
        os.close(inside)
        os.close(outside)
    assert {*os.listdir(tmp_path / "run")} == {"a", "b"}


def test_a_module_may_be_imported_in_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "fresh_module.py").write_text("import time\nbegun = time.time()\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    module = in_run(lambda: importlib.import_module("fresh_module"))
    del sys.modules["fresh_module"]
    assert module.begun < time.time()
    assert list((tmp_path / "__pycache__").glob("fresh_module*"))
    assert surroundings.refused is None


@pytest.mark.parametrize("command", refusals.TELLING)
def test_a_command_that_only_tells_of_the_machine_is_not_there(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`platform` and `distro` ask for it, and go on without. Without that it is refused as any other, and nothing is run."""
    with pytest.raises(FileNotFoundError, match=command):
        in_run(lambda: subprocess.check_output([f"/usr/bin/{command}", "-a"]))
    assert surroundings.refused is None
    for other in ([f"{command}-of-mine"], ["sh", "-c", command], ["true", command]):
        with pytest.raises(RefusedError, match=PROCESSES[:20]):
            in_run(lambda other=other: subprocess.check_output(other))
    monkeypatch.setattr(refusals, "TELLING", ())
    with pytest.raises(RefusedError, match=PROCESSES[:20]):
        in_run(lambda: subprocess.check_output([command]))
    surroundings.refused = None
