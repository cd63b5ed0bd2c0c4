"""What Python offers to threads works in a run, as it stands, and the same in every process."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from sim import check, fuzz
from sim.live.threads.blocking import CORES
from tests.live.digests import ROOT, elsewhere, of_schedules
from tests.live.small import installed_once  # noqa: F401
from tests.live.threads.parts import PARTS, made

SCHEDULES = 40


@pytest.mark.parametrize("name", PARTS)
def test_it_is_right_in_every_schedule(name: str) -> None:
    before = threading.active_count()
    found = fuzz(made(name), schedules=SCHEDULES).found
    assert not found, found[0].counterexample
    assert threading.active_count() == before, "nothing is left of a run"


def test_all_of_it_has_one_digest_in_every_process() -> None:
    call = "[of_schedules(__import__('tests.live.threads.parts', fromlist=['made']).made(name), 3) for name in %r]"
    call %= (list(PARTS),)
    here = [of_schedules(made(name), 3) for name in PARTS]
    assert list(elsewhere(("0", "4242"), call)) == [here, here]


@pytest.mark.parametrize("name", ["lock", "condition", "executor", "executor_made_before"])
def test_a_check_runs_it_again_and_again_as_it_was(name: str) -> None:
    result = check(made(name), deviations=1)
    assert result.finding is None
    assert result.schedules > 5


def test_a_run_is_the_same_in_a_process_with_other_processors(tmp_path: Path) -> None:
    (tmp_path / "cores.py").write_text(
        "from tests.live.threads.parts import made\ndef system():\n    return made('cores')\n"
    )
    (tmp_path / "f.yaml").write_text("model: cores\nthen: usual\nschedule: []\nexpect: {verdict: ok}\n")
    path = os.pathsep.join([str(ROOT), str(ROOT / "sim" / "beside"), str(tmp_path)])
    done = subprocess.run(
        [sys.executable, "-m", "sim", "run", "f.yaml", "--model", "cores", "--verify"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "verified    the same trace in fresh processes" in done.stdout
    assert f"* Said(what={CORES})" in done.stdout or f"Said(what='{CORES}')" in done.stdout
