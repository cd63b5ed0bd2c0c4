"""The executor of processes, and the chunks it is given."""

from __future__ import annotations

import errno
import math
import os
import pickle
import signal
import time
from concurrent.futures import CancelledError, wait
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.base.errors import ConfigError, DefectError, DivergenceError, SimError
from sim.base.unforeseen import told
from sim.campaign import engines
from sim.campaign.campaign_plan import CHUNK_MAX, chunk_size
from sim.campaign.chunks import Chunk, Chunks
from sim.campaign.engines import started
from sim.run import local
from sim.run.local import LocalExecutor, WorkEnded, WorkerDied, guarded


def test_it_answers_as_any_executor_does() -> None:
    with LocalExecutor(2) as executor:
        assert list(executor.map(math.factorial, range(5))) == [1, 1, 2, 6, 24]
        with pytest.raises(ValueError, match="factorial"):
            executor.submit(math.factorial, -1).result()
        assert executor.submit(os.getpid).result() != os.getpid()
    with pytest.raises(RuntimeError):
        executor.submit(os.getpid)


def test_a_process_that_dies_fails_its_own_task_and_is_replaced() -> None:
    executor = LocalExecutor(2)
    slow = executor.submit(time.sleep, 0.5)
    dead = executor.submit(os._exit, 3)
    with pytest.raises(WorkerDied, match="a worker process ended with status 3"):
        dead.result()
    killed = executor.submit(os.kill, executor.submit(os.getpid).result(), signal.SIGKILL)
    wait([killed])
    assert slow.result() is None
    assert executor.submit(math.factorial, 4).result() == 24
    executor.shutdown()
    assert executor.process_ids == []


def test_shutting_down_ends_what_runs_and_cancels_what_waits() -> None:
    executor = LocalExecutor(1)
    executor.submit(os.getpid).result()
    runs, waits = executor.submit(time.sleep, 60), executor.submit(time.sleep, 60)
    while not runs.running():
        time.sleep(0.01)
    executor.shutdown(cancel_futures=True)
    with pytest.raises(WorkerDied):
        runs.result()
    with pytest.raises(CancelledError):
        waits.result()


def test_what_a_model_prints_disturbs_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with LocalExecutor(1) as executor:
        assert executor.submit(print, "a model speaks").result() is None
        assert executor.submit(math.factorial, 3).result() == 6
    out, err = capfd.readouterr()
    assert (out, "a model speaks" in err) == ("", True)


def test_what_a_model_reads_is_at_its_end_and_takes_nothing_from_the_worker() -> None:
    with LocalExecutor(1) as executor:
        with pytest.raises(EOFError):
            executor.submit(input).result()
        assert executor.submit(os.read, 0, 100).result() == b""
        assert executor.submit(math.factorial, 3).result() == 6


def test_a_python_that_cannot_start_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "_MAIN", "raise SystemExit(7)")
    with pytest.raises(ConfigError) as caught, started("local", 1):
        pass
    assert caught.value.mistakes == (
        "--engine local: no worker process could be started: it ended with status 7; use fewer --workers",
    )


HINDERED = """
import json, sys, threading
sys.path[:] = json.loads(sys.argv[1])
def start(self): raise {error}
from sim.run.local import serve
threading.Thread.start = start
serve(sys.argv[2])
"""


@pytest.mark.parametrize(
    ("error", "says"),
    [
        ('RuntimeError("can\'t start new thread")', "no further process can be started"),
        ("MemoryError", "the memory ran out"),
        ('ImportError("x.so: failed to map segment from shared object")', "the memory ran out"),
        ('OSError(24, "Too many open files")', "too many open files"),
        ('ValueError("odd")', "a defect of roundsim: ValueError: odd"),
    ],
)
def test_a_worker_that_cannot_begin_says_why_and_nothing_else(
    error: str, says: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(local, "_MAIN", HINDERED.format(error=error))
    monkeypatch.setattr(local, "STARTS_MAX", 1)
    monkeypatch.setattr(engines, "TRIES_MAX", 1)
    with pytest.raises(ConfigError) as caught, started("local", 1):
        pass
    (line,) = caught.value.mistakes
    assert line.startswith(f"--engine local: no worker process could be started: {says}")
    assert capfd.readouterr().err == ""


def test_mistakes_are_the_same_here_and_there() -> None:
    for error in (SimError("a", "b"), DivergenceError("step", 3)):
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), again.mistakes, str(again)) == (type(error), error.mistakes, str(error))
        assert vars(again) == vars(error)


def test_what_becomes_of_work_is_data_and_is_said_where_it_is_asked_for() -> None:
    def odd() -> int:
        raise ValueError("odd")

    ended = guarded(odd)
    assert isinstance(ended, WorkEnded)
    assert guarded(lambda: 3) == 3
    with pytest.raises(DefectError) as caught:
        ended.tell()
    assert told(caught.value) == ended
    assert "test_local.py" in ended.why
    with pytest.raises(SimError, match="mine"):
        guarded(lambda: (_ for _ in ()).throw(SimError("mine")))


def test_more_workers_than_the_system_has_room_for_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(*_: object, **__: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(local.subprocess, "Popen", none_left)
    with pytest.raises(ConfigError) as caught, started("local", 2):
        pass
    why = "Too many open files; use fewer --workers"
    assert caught.value.mistakes == (f"--engine local: no worker process could be started: {why}",)


def test_a_module_of_the_working_directory_does_not_shadow_one_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('shadowed')\n")
    monkeypatch.chdir(tmp_path)
    with LocalExecutor(1) as executor:
        assert executor.submit(math.factorial, 3).result() == 6


# --- chunks -----------------------------------------------------------------------------------------


@given(
    size=st.integers(1, 7),
    total=st.integers(1, 60),
    done=st.sets(st.integers(0, 20)),
    moves=st.lists(st.sampled_from(["take", "finish", "back", "leave off"]), max_size=60),
    part=st.integers(0, 6),
)
def test_every_number_is_handed_out_until_it_is_done_and_never_twice_at_once(
    size: int, total: int, done: set[int], moves: list[str], part: int
) -> None:
    every = [Chunk(first, min(size, total - first)) for first in range(0, total, size)]
    before = {chunk.first: chunk.size for chunk in every if chunk.first // size in done}
    chunks = Chunks(size, total, before)
    out: list[Chunk] = []
    finished = set(before)
    for move in [*moves, *["take", "finish"] * (2 * total)]:
        if move == "take":
            chunk = chunks.take()
            free = [c for c in every if c.first not in finished and c not in out]
            assert chunk == (free[0] if free else None), "the lowest that is free"
            out += [chunk] if chunk is not None else []
        elif out and move == "finish":
            finished.add(out[0].first)
            chunks.finish(out[0], out.pop(0).size)
        elif out and move == "leave off":
            first, whole = out.pop(0)
            some = min(part, whole - 1)
            chunks.finish(Chunk(first, whole), some)
            every.remove((first, whole))
            every += [Chunk(first, some)] * (some > 0) + [Chunk(first + some, whole - some)]
            every.sort()
            finished |= {first} if some else set()
        elif out:
            chunks.put_back(out.pop())
        low = next((c.first for c in every if c.first not in finished), None)
        assert chunks.low == (low if low is not None else total)
        assert chunks.is_done == (low is None)
        again = Chunks(size, total, {c.first: c.size for c in every if c.first in finished})
        assert again.low == chunks.low, "whoever goes on begins there"
    assert finished == {chunk.first for chunk in every}


def test_the_size_of_chunks_follows_from_the_campaign_alone() -> None:
    assert [chunk_size(n) for n in (None, 1, 16, 17, 10_000, 10**9)] == [CHUNK_MAX, 1, 1, 2, 625, CHUNK_MAX]
    endless = Chunks(10, None)
    assert [endless.take() for _ in range(3)] == [(0, 10), (10, 10), (20, 10)]
    assert not endless.is_done
