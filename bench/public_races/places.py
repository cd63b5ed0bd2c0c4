"""Where a version of a library is installed: `python -m bench.public_races.places` makes them all.

Each has a folder of its own, which stands before the packages of the environment. What is there is not installed again.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.public_races.table import RACES

ROOT = Path(__file__).parents[2]
PLACES = ROOT / ".venv-races"


def place(pins: Sequence[str]) -> Path:
    """The folder of what is pinned, for this Python."""
    mark = hashlib.sha256("\n".join((sys.version, *sorted(pins))).encode()).hexdigest()[:8]
    return PLACES / f"{pins[0].replace('==', '-')}-{mark}"


def install(pins: Sequence[str]) -> Path:
    """The folder, with all of it there."""
    to = place(pins)
    if not to.is_dir():
        half = to.with_suffix(".half")
        shutil.rmtree(half, ignore_errors=True)
        options = ["--quiet", "--disable-pip-version-check", "--root-user-action", "ignore", "--no-deps"]
        subprocess.run([sys.executable, "-m", "pip", "install", *options, "--target", half, *pins], check=True)
        half.rename(to)
    return to


def install_all() -> None:
    """All versions of all libraries of the table."""
    for race in RACES:
        for version in filter(None, (race.version, race.mended)):
            install(race.pins(version))


if __name__ == "__main__":
    install_all()
