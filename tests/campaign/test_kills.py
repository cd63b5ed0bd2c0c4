"""A campaign, or a worker of it, is killed at any moment: nothing is lost, nothing is counted twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sim.base.mixer import between, stream
from sim.campaign.store import CampaignStore
from sim.sessions.store_file import Writing
from tests.campaign.toys import a_campaign, has_store, inline, open_store, said, sim_json, start, stored, write_toy

KILLS = [
    pytest.param(12, id="quick"),
    pytest.param(50, id="at fifty moments", marks=pytest.mark.soak),
]
SCHEDULES, CHUNK = 1_200, 20
MOMENT = 40
"""Milliseconds in which a campaign does some chunks, and is not done."""
FUZZ = ("fuzz", "dice", "--keep-going", "--schedules", str(SCHEDULES), "--chunk", str(CHUNK))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the campaign with some seed says that nobody disturbs, by one worker in a store of its own."""
    answers: dict[int, Any] = {}

    def answer(seed: int) -> Any:
        if seed not in answers:
            folder = tmp_path_factory.mktemp("undisturbed")
            write_toy(folder)
            answers[seed] = said(sim_json(folder, *FUZZ, "--seed", str(seed), "--workers", "1")[1])
        return answers[seed]

    return answer


def children(pid: int) -> list[int]:
    """The processes that any thread of a process has started and that run."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*"):
        try:
            found += map(int, (task / "children").read_text().split())
        except OSError:
            continue
    return [child for child in found if is_running(child)]


def is_running(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def wait_for(done: Any, seconds: float = 60) -> None:
    """Wait until `done` says so."""
    for _ in range(int(seconds * 50)):
        if done():
            return
        time.sleep(0.02)
    raise AssertionError("it did not happen")


def check_session(folder: Path, number: int, expected: Any) -> None:
    """Every chunk is there once, and the session says what the undisturbed campaign says."""
    chunks = stored(folder, "SELECT first, schedules FROM chunk WHERE session = ? ORDER BY first", number)
    assert chunks == [(first, CHUNK) for first in range(0, SCHEDULES, CHUNK)]
    _, data = sim_json(folder, "status", str(number))
    assert data["state"] == "done"
    (part,) = data["parts"]
    assert said(part) == expected


def wait_for_a_chunk(folder: Path, child: subprocess.Popen[str]) -> None:
    """Wait until one more chunk is recorded, so that there is progress between kills on a busy machine too."""
    before = recorded(folder)
    wait_for(lambda: child.poll() is not None or recorded(folder) > before)


def recorded(folder: Path) -> int:
    return int(stored(folder, "SELECT count(*) FROM chunk")[0][0]) if has_store(folder) else 0


@pytest.mark.parametrize("kills", KILLS)
def test_a_campaign_that_is_killed_runs_every_schedule_once_and_finds_the_same(
    kills: int, tmp_path: Path, undisturbed: Any
) -> None:
    write_toy(tmp_path)
    begun, orphans = 0, dict[int, None]()
    kept: list[tuple[int, str]] = []
    for kill in range(kills + 1):
        if not kept or kept[-1][1] == "done":
            begun = len(kept)
            words: tuple[str, ...] = (*FUZZ, "--seed", str(begun))
        else:
            words = ("resume", str(kept[-1][0]))
        child = start(tmp_path, *words, "--workers", "2")
        try:
            if kill % 2:
                wait_for_a_chunk(tmp_path, child)
            latest = MOMENT if kill % 2 else 1_200
            child.communicate(timeout=None if kill == kills else between(stream(8, kill), 1, latest) / 1_000)
        except subprocess.TimeoutExpired:
            orphans |= dict.fromkeys(children(child.pid))
            child.kill()
            child.communicate()
        kept = stored(tmp_path, "SELECT id, state FROM session ORDER BY id") if has_store(tmp_path) else []
    assert [state for _, state in kept] == ["done"] * (begun + 1), "the last one was not killed"
    for seed, (number, _) in enumerate(kept):
        check_session(tmp_path, number, undisturbed(seed))
    assert stored(tmp_path, "PRAGMA integrity_check") == [("ok",)]
    assert orphans, "there were workers to leave behind"
    wait_for(lambda: not any(map(is_running, orphans)))


@pytest.mark.parametrize("kills", KILLS)
def test_workers_that_are_killed_cost_a_retry_each_and_nothing_else(
    kills: int, tmp_path: Path, undisturbed: Any
) -> None:
    write_toy(tmp_path)
    done = deaths = seed = 0
    while done < kills:
        child = start(tmp_path, *FUZZ, "--seed", str(seed), "--workers", "2", "--json")
        while done < kills and child.poll() is None:
            wait_for_a_chunk(tmp_path, child)
            time.sleep(between(stream(9, done), 0, MOMENT) / 1_000)
            running = children(child.pid)
            if running:
                os.kill(running[stream(10, done) % len(running)], signal.SIGKILL)
                done += 1
        out, err = child.communicate(timeout=300)
        assert err == ""
        data = json.loads(out)
        assert said(data) == undisturbed(seed)
        deaths += data["deaths"]
        seed += 1
        check_session(tmp_path, seed, undisturbed(seed - 1))
    assert deaths, "some were killed in the middle of a chunk"


class Killed(BaseException):
    """Stands for a kill: nothing catches it."""


def record_until_killed(here: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    """Chunks and findings in the store after a campaign is killed between a chunk and its findings."""
    add = Writing.add

    def dies(self: Writing, table: str, **values: object) -> int:
        if table == "finding":
            raise Killed
        return add(self, table, **values)

    monkeypatch.setattr(Writing, "add", dies)
    with open_store(here) as store, pytest.raises(Killed):
        a_campaign(store, here, schedules=50, chunk=50).run(inline())
    ((chunks, findings),) = stored(here, "SELECT (SELECT count(*) FROM chunk), (SELECT count(*) FROM finding)")
    return chunks, findings


def test_a_chunk_is_kept_with_its_findings_or_not_at_all(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert record_until_killed(here, monkeypatch) == (0, 0)


def test_a_store_without_transactions_would_lose_findings(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def careless(self: CampaignStore) -> Iterator[Writing]:
        yield Writing(self._db, 0)

    monkeypatch.setattr(CampaignStore, "writing", careless)
    assert record_until_killed(here, monkeypatch) == (1, 0)
