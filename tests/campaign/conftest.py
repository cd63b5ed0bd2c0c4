"""A folder with the toy model in it, in this process: what is imported from there is forgotten afterwards."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sim.campaign import worker
from tests.campaign.toys import write_toy


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The working directory, with the model `dice`."""
    write_toy(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [*sys.path])
    monkeypatch.setattr("sys.meta_path", [*sys.meta_path])
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    monkeypatch.delenv("SIM_HOME", raising=False)
    monkeypatch.setattr(worker, "_loaded", [])
    before = {*sys.modules}
    yield tmp_path
    for name in [name for name in sys.modules if name not in before]:
        if name in ("dice", "numbers_of_the_dealer") or name.startswith("mine"):
            del sys.modules[name]
