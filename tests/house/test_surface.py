"""The public names of the last release go on working: what goes or changes is told in the changelog.

`released/sim.py` has the names as they were; `sim surface` says what differs, and to whom it matters.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sim.surface.model import Difference, Impact
from sim.surface.survey import SurveyQuestion, survey
from tests.released import declarations

ROOT = Path(__file__).parents[2]
RELEASED = Path(__file__).with_name("released") / "sim.py"


def broken(now: str, folder: Path) -> list[Difference]:
    """What code that stands on the last release meets otherwise."""
    (folder / "sim.py").write_text(now, "utf-8")
    (judged,) = survey(SurveyQuestion((str(RELEASED.parent), str(folder)))).judged
    return judged.comparison.of(Impact.BREAKING)


def told(changelog: str) -> set[str]:
    """The names under "Changed" and "Removed" of the version that stands on top."""
    top = re.split(r"^## ", changelog, flags=re.M)[1]
    parts = [part for part in re.split(r"^### ", top, flags=re.M) if part.startswith(("Changed\n", "Removed\n"))]
    return {name.removeprefix("sim.") for part in parts for name in re.findall(r"`([\w.]+)`", part)}


def complaints(found: list[Difference], changelog: str) -> list[str]:
    """A line for each that the changelog does not tell: by its name, or by that of its class."""
    known = told(changelog)
    lines = []
    for one in found:
        name = one.subject.shown.removeprefix("sim.")
        if not known & {name, name.partition(".")[0]}:
            change = "is gone" if one.change == "removed" else f"{one.change}: {one.before} -> {one.after}; {one.why}"
            lines.append(f"{name}: {change}; put it back, or list `{name}` in CHANGELOG.md")
    return lines


def test_what_is_gone_or_changed_since_the_last_release_is_in_the_changelog(tmp_path: Path) -> None:
    assert complaints(broken(declarations(), tmp_path), (ROOT / "CHANGELOG.md").read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("def simulate(", "def _simulate(", "simulate: is gone; put it back, or list `simulate` in CHANGELOG.md"),
        ("class Monitor", "class Watcher", "Monitor: "),
        ("    def judging(", "    def judging_by(", "System.judging: "),
        ("strategy: Strategy, *, max_steps", "strategy: Strategy, *, steps", "simulate: parameter removed: max_steps"),
        ("def simulate(system: System", "def simulate(extra: int, system: System", "simulate: parameter added"),
        ("one_way: bool = False", "one_way: bool", "cut: default removed: one_way = False"),
        ("class Applied(Emission)", "class Applied", "Applied: bases: Emission"),
        ("    key: Value\n", "    key: Value\n    at_ms: int\n", "Accepted.at_ms: "),
        (") -> Run:", ") -> Trace:", "simulate: return type: Run -> Trace"),
    ],
)
def test_a_name_that_is_gone_or_changed_is_caught(old: str, new: str, complaint: str, tmp_path: Path) -> None:
    released = RELEASED.read_text("utf-8")
    planted = released.replace(old, new, 1)
    assert planted != released
    found = broken(planted, tmp_path)
    assert any(line.startswith(complaint) for line in complaints(found, "# Changelog\n\n## 1.0\n"))
    name = complaint.partition(":")[0]
    assert complaints(found, f"# Changelog\n\n## 1.0\n\n### Removed\n\n- `sim.{name}`: x\n") == []
    for elsewhere in (f"## 1.0\n\n### Added\n\n- `{name}`\n", f"## 1.1\n\n## 1.0\n\n### Removed\n\n- `{name}`\n"):
        assert complaints(found, f"# Changelog\n\n{elsewhere}") != []


def test_what_is_new_breaks_nobody(tmp_path: Path) -> None:
    more = RELEASED.read_text("utf-8") + "def brand_new(x: int) -> int: ...\n"
    assert broken(more.replace("one_way: bool = False", "one_way: bool = False, soft: bool = False"), tmp_path) == []


PACKAGE = {
    "sim/__init__.py": "from sim.inner import A, f\nfrom sim.inner import _C\n__all__ = ['A', 'f']\n",
    "sim/inner.py": """
from dataclasses import dataclass
class _Base:
    def shared(self, x: int = 0) -> None: ...
class A(_Base, Exception):
    def __init__(self, y: str) -> None: self.y = y
    @property
    def z(self) -> int: ...
    @classmethod
    def made(cls) -> 'A': ...
    def _own(self) -> None: ...
def f(a, /, b, *c, d: int = 1, **e) -> list[int]: ...
class _C: ...
""",
}


def test_the_declarations_are_those_of_the_public_names_wherever_they_live(tmp_path: Path) -> None:
    for name, text in PACKAGE.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert (
        declarations(tmp_path).split('"""\n\n')[1]
        == """
class A(Exception):
    def __init__(self, y: str) -> None: ...
    @classmethod
    def made(cls) -> A: ...
    def shared(self, x: int = 0) -> None: ...
    y = ...
    @property
    def z(self) -> int: ...

def f(a, /, b, *c, d: int = 1, **e) -> list[int]: ...
"""
    )


def test_a_public_name_that_a_package_of_that_name_hides_is_caught(tmp_path: Path) -> None:
    """Once `sim.f` is imported, it is what `from sim import f` gives."""
    for name, text in {**PACKAGE, "sim/f/__init__.py": ""}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert "f = ..." in declarations(tmp_path)
