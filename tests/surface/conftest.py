"""Small trees in memory, and what a comparison says about two of them in words short enough for a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from sim.surface.compare import compare
from sim.surface.model import Surface
from sim.surface.read import read
from sim.surface.renames import parse_rename
from sim.surface.trees import Tree

Files = Mapping[str, str] | str
Tell = Callable[..., list[str]]
ReadTree = Callable[..., Surface]
Plant = Callable[[str, Mapping[str, str]], Path]


def _read(files: Files, label: str = "tree", only: tuple[str, ...] = (), names: tuple[str, ...] = ()) -> Surface:
    named = {"src/lib.rs": files} if isinstance(files, str) else files
    return read(Tree(label, "", {name: text.encode() for name, text in named.items()}, ()), only, names)


def _tell(old: Surface, new: Surface, renames: tuple[str, ...] = (), level: str = "pub") -> list[str]:
    """Each difference as `impact change item`, the item by the part of its path after the crate."""
    found = compare(old, new, [parse_rename(said) for said in renames], level).differences
    told = [f"{d.impact.value} {d.change}: {d.subject.shown.partition('::')[2] or d.subject.shown}" for d in found]
    return sorted(told)


@pytest.fixture(scope="session")
def read_tree() -> ReadTree:
    """Reads a tree given as a mapping of file names to texts; a lone text is the root file of a Rust crate."""
    return _read


@pytest.fixture(scope="session")
def tell() -> Tell:
    """Compares two surfaces and tells every difference in one line."""
    return _tell


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    """Writes a tree into a folder of the test's own."""

    def write(name: str, files: Mapping[str, str]) -> Path:
        for file, text in files.items():
            path = tmp_path / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        return tmp_path / name

    return write
