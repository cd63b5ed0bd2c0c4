"""The wheel in an empty environment, as a user installs it: made once for all tests that are about it."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import venv
from importlib.metadata import distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def newcomer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The environment: made once, by the first worker that comes."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "newcomer"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "made").exists():
            make_environment(folder)
            (folder / "made").touch()
    return folder / "environment"


def make_environment(folder: Path) -> None:
    """Build the wheel, and install it and pytest as a user does, into an environment that has not even pip."""
    built = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(built, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (wheel,) = folder.glob("*.whl")
    home = folder / "environment"
    venv.create(home, with_pip=False, symlinks=True)
    install = [sys.executable, "-m", "pip", "--python", str(home / "bin/python"), "install", "-q", "--no-compile"]
    pins = folder / "versions.txt"  # those of this environment: pinned in the gate, the newest in `make test-latest`
    pins.write_text("".join(f"{one.name}=={one.version}\n" for one in distributions() if one.name != "roundsim"))
    wanted = ["--disable-pip-version-check", "--constraint", str(pins), str(wheel), "pytest"]
    done = subprocess.run([*install, *wanted], capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, f"an empty environment asks the package index that made this one:\n{done.stderr}"
