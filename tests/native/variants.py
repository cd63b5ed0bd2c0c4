"""Other builds of the extension than the one that is installed, and how a process takes one of them."""

from __future__ import annotations

import importlib.util
from functools import cache
from importlib.machinery import ExtensionFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

import sim.native

ROOT = Path(__file__).parents[2]


@cache
def builder() -> ModuleType:
    """`hatch_build`, which builds the extension."""
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def load(file: Path) -> Any:
    """The extension in this file."""
    loader = ExtensionFileLoader("_walks", str(file))
    spec = importlib.util.spec_from_file_location("_walks", file, loader=loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def take(file: Path) -> None:
    """Makes this process walk with the extension in this file; to be called before anything walks."""
    sim.native.walks = load(file)
