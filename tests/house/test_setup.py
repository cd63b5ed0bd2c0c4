"""The set-up of the Makefile on a machine that is not as it should be: a clear end, and nothing half-made."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def set_up(folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    """`make run` in `folder`, where python3 is this shell script."""
    for name in ("Makefile", "pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, folder)
    python = folder / "python"
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(
        ["make", "run", f"PYTHON={python}"], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_an_old_python_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    old = 'exec {} -c "import sys; sys.version_info = (3, 10); sys.version = \'3.10.1 (x)\'; exec(sys.argv[1])" "$2"'
    done = set_up(tmp_path, old.format(sys.executable))
    assert done.returncode != 0
    assert "roundsim needs Python 3.11 or later, this is 3.10.1; say which: make PYTHON=python3.12" in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_an_environment_that_could_not_be_made_is_made_anew_the_next_time(tmp_path: Path) -> None:
    """As on Debian without python3-venv, which leaves an interpreter without pip behind."""
    half = 'test "$1" = -c && exit 0; mkdir -p .venv/bin; ln -sf /bin/false .venv/bin/python; exit 1'
    assert set_up(tmp_path, half).returncode != 0
    assert not (tmp_path / ".venv").exists()
