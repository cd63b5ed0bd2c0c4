"""What a newcomer sees first works: `sim` alone, `sim demo`, `sim doctor`, wherever one stands."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from sim.cli import call, installed, welcome
from sim.scaffold import scaffold
from sim.scaffold.demonstration import FIXED, WRONG, council

ROOT = Path(__file__).parents[2]


def sim(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(ROOT), str(ROOT / "sim/beside")])
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", **variables}
    return subprocess.run(
        [sys.executable, "-m", "sim", *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


# --- sim alone --------------------------------------------------------------------------------------


def an_empty_folder(folder: Path) -> None:
    pass


def a_new_model(folder: Path) -> None:
    for file in scaffold("shop", folder):
        moved = folder / Path(*file.parts[1:])
        moved.parent.mkdir(parents=True, exist_ok=True)
        (folder / file).rename(moved)


def a_checkout(folder: Path) -> None:
    (folder / "scenarios").symlink_to(ROOT / "scenarios")


def a_folder_of_others(folder: Path) -> None:
    """Nothing in it is ours, and some of it cannot be read."""
    (folder / "values.yaml").write_bytes(b"model: \xff\n")
    (folder / "train.yaml").write_text("model: gpt\nsize: 7\n")
    (folder / "gpt.txt").write_text("")
    (folder / "app.py").write_text("def system():\n    raise SystemExit(1)\n")
    (folder / "council").write_text("in the way of sim new council")


FOLDERS = {
    an_empty_folder: ["sim demo", "sim check models.two_phase_commit", "sim new council"],
    a_new_model: ["sim run scenarios/lost_answer.yaml", "sim fuzz shop --schedules 1000", "sim demo"],
    a_checkout: ["sim run scenarios/", "sim demo", "sim check models.two_phase_commit"],
    a_folder_of_others: ["sim demo", "sim check models.two_phase_commit", "sim doctor"],
}


@pytest.mark.parametrize("make", FOLDERS, ids=lambda make: make.__name__)
def test_what_sim_alone_shows_works_where_one_stands(
    make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert call([]) == 0
    out = capsys.readouterr().out
    three = [tip.command for tip in welcome.tips()]
    assert [command.startswith(start) for command, start in zip(three, FOLDERS[make], strict=True)] == [True] * 3
    for command in three:
        assert f"    {command}" in out
        done = sim(tmp_path, *command.split()[1:])
        assert done.returncode in (0, 1), (command, done.stderr)
        assert done.stdout


def test_a_tip_that_does_not_work_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that names a model which is not there is not proposed; without that look it would be, and would fail."""
    (tmp_path / "lost.yaml").write_text("model: nowhere\n")
    monkeypatch.chdir(tmp_path)
    assert all("lost.yaml" not in tip.command for tip in welcome.tips())
    monkeypatch.setattr(welcome, "_is_module", lambda *_: True)
    command = next(tip.command for tip in welcome.tips() if "lost.yaml" in tip.command)
    assert sim(tmp_path, *command.split()[1:]).returncode == 2


def test_nothing_that_is_looked_at_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shop.py").write_text("import sim\nopen('ran', 'w')\ndef system():\n    pass\n")
    (tmp_path / "shop.yaml").write_text("model: shop\n")
    monkeypatch.chdir(tmp_path)
    assert [tip.command for tip in welcome.tips()][:2] == [
        "sim run shop.yaml --model shop",
        "sim fuzz shop --schedules 1000",
    ]
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("columns", [60, 80, 200])
@pytest.mark.parametrize("words", [[], ["doctor"]], ids=["sim", "doctor"])
def test_it_fits_into_the_terminal(
    columns: int, words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    assert call(words) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= columns


# --- sim demo ---------------------------------------------------------------------------------------


def test_the_demonstration_tells_a_race_from_nothing_to_its_mend(tmp_path: Path) -> None:
    done = sim(tmp_path, "demo", "--keep", "kept", COLUMNS="80")
    assert (done.returncode, done.stderr) == (0, "")
    told = [line for line in done.stdout.splitlines() if line.startswith(("$ ", "VIOLATED", "ok", "NOT", "verdict"))]
    assert told == [
        "$ sim check council",
        "VIOLATED  counted_once: the answer to attempt 2 was counted too",
        "$ sim run counterexamples/council-counted_once.yaml --model council",
        "VIOLATED    counted_once: the answer to attempt 2 was counted too",
        "verdict     violated, as expected",
        "$ sim check council",
        "ok: proved within these bounds: monitor counted_once, never stuck, no unhandled input, "
        "no exception in a handler",
        "$ sim run counterexamples/council-counted_once.yaml --model council --brief",
        *(line for line in told if line.startswith("NOT   counterexamples/council-counted_once.yaml")),
    ]
    assert (tmp_path / "kept/council.py").read_text() == council(fixed=True)
    again = sim(tmp_path, "demo", "--keep", "kept")
    assert (again.returncode, again.stderr) == (2, "sim: --keep kept: exists already; name a new folder\n")


def test_without_keep_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    assert sim(tmp_path, "demo", TMPDIR=str(tmp_path / "tmp")).returncode == 0
    assert [*tmp_path.rglob("*")] == [tmp_path / "tmp"]


def test_the_fix_is_one_row_of_the_table() -> None:
    assert council().count(WRONG) == 1
    assert council(fixed=True) == council().replace(WRONG, FIXED)


def test_a_fix_that_fixes_nothing_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sim.cli import demo

    monkeypatch.setattr(demo, "council", lambda *, fixed=False: council())
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), str(ROOT / "sim/beside")]))
    monkeypatch.chdir(tmp_path)
    assert call(["demo"]) == 1


def test_an_interrupt_ends_it_in_one_line(tmp_path: Path) -> None:
    path = os.pathsep.join([str(ROOT), str(ROOT / "sim/beside")])
    (tmp_path / "tmp").mkdir()
    environment = {**os.environ, "PYTHONPATH": path, "TMPDIR": str(tmp_path / "tmp"), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [sys.executable, "-m", "sim", "demo"],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as running:
        assert running.stdout is not None
        for line in running.stdout:
            if line.startswith("$ sim check"):
                break
        time.sleep(0.2)  # the check is being loaded, or runs, or is over: each is an interrupt of its own
        os.killpg(running.pid, signal.SIGINT)
        _, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert err == "sim: interrupted\n"
    assert [*(tmp_path / "tmp").iterdir()] == []


# --- sim doctor -------------------------------------------------------------------------------------


def test_the_doctor_says_of_each_part_what_it_is_for_and_how_to_get_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(["doctor", "--json"]) == 0
    parts = {part["name"]: part for part in json.loads(capsys.readouterr().out)["parts"]}
    wanted = ("compiled walk", "git", "Chromium", "Dask", "Ray", "PostgreSQL server", "psycopg", "roundsim", "Python")
    assert [name for name in wanted if name not in parts] == []
    assert all(part["purpose"] for part in parts.values())
    assert all(part["version"] for part in parts.values() if part["there"])
    monkeypatch.setattr(installed.shutil, "which", lambda _: None)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(installed, "PACKAGES", (("Dusk", "no-such-package", "dusk", "campaigns at night"),))
    assert call(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "none  Dusk               for campaigns at night; pip install 'roundsim[dusk]'" in out
    assert "none  git                for sessions by branch; sim surface of revisions; git is not installed;" in out
    assert "missing: git, Chromium, C++ compiler, PostgreSQL server and Dusk;" in out


def test_a_program_that_says_nothing_or_hangs_is_there_all_the_same(tmp_path: Path) -> None:
    for name, text in (("silent", "exit 3"), ("binary", "printf '\\377\\n'")):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\n{text}\n")
        program.chmod(0o755)
    assert installed._version_of(str(tmp_path / "silent")) == str(tmp_path / "silent")
    assert installed._version_of(str(tmp_path / "binary")) == "�"
    assert installed._version_of(str(tmp_path / "gone")) == str(tmp_path / "gone")


def test_a_store_that_cannot_be_used_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIM_HOME", "~nobody-at-all/x")
    assert not installed._store().there
    assert "home folder not found" in installed._store().remedy
    monkeypatch.setenv("SIM_HOME", str(tmp_path))
    assert installed._store().there
