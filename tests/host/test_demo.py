"""The demo does what it says: one host in a process of its own, which is killed; every other command in this one."""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bench import demo
from bench.stand_ins import Agents
from sim.cli import call


def here(command: list[str], *, cwd: Path, env: dict[str, str], capture_output: bool = False, **_: Any) -> Any:
    """Runs a command of ours as `subprocess.run` does, without another process."""
    assert command[:3] == [sys.executable, "-m", "sim"]
    kept = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.ExitStack() as stack:
        patch.chdir(cwd)
        patch.setenv("SIM_HOME", env["SIM_HOME"])
        if capture_output:
            stack.enter_context(contextlib.redirect_stdout(kept))
        return SimpleNamespace(returncode=int(call(command[3:])), stdout=kept.getvalue())


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Any:
    """Runs the demo: its status, and what it has shown."""
    root = Path(__file__).parents[2]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(root), str(root / "sim/beside")]))
    monkeypatch.setattr(demo.tempfile, "mkdtemp", lambda prefix: str(tmp_path))
    monkeypatch.setattr(demo.subprocess, "run", here)
    monkeypatch.setattr(
        demo, "Agents", lambda **given: Agents(("late",), seed=given["seed"], late_s=0.4)
    )  # it has time

    def run() -> tuple[int, str]:
        status = demo.main()
        out, err = capfd.readouterr()
        assert [line for line in err.splitlines() if not line.startswith("sim: page written to ")] == []
        return status, out

    return run


def test_the_demo_is_killed_goes_on_and_conforms(told: Any, tmp_path: Path) -> None:
    status, out = told()
    assert status == 0, out
    assert re.search(r"^killed with SIGKILL after \d+ inputs$", out, re.M)
    assert "session 1 (release-plan) goes on: models.consensus" in out
    assert re.search(r"^session     release-plan, over; \d+ inputs, started again once$", out, re.M)
    assert re.search(r"^run release-plan: conforms: (\d+) of \1 lines explained", out, re.M)
    assert len([*(tmp_path / "artifacts").glob("*")]) == 3, "one for each round"
    page = re.search(r"^page: +(\S+)$", out, re.M)
    assert page is not None
    assert "<html" in Path(page[1]).read_text("utf-8")
