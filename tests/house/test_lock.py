"""The pinned versions that the gate runs on: for every Python and platform one version of each package that
pyproject.toml asks for, and no word of where packages come from."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements.lock").read_text("utf-8")
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
PYTHONS = [found[1] for line in PROJECT["classifiers"] if (found := re.search(r":: (3\.\d+)$", line))]
PLATFORMS = {
    "linux": {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"},
    "macos": {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix"},
    "windows": {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt"},
}
WHERE = [
    {"python_version": python, "python_full_version": f"{python}.0", "implementation_name": "cpython", **platform}
    for python, platform in product(PYTHONS, PLATFORMS.values())
]


def wanted(project: dict[str, Any], extra: str = "") -> Iterator[Requirement]:
    """What the project asks for with an extra, and with the extras that this one takes in."""
    texts = project["optional-dependencies"][extra] if extra else project["dependencies"]
    for one in map(Requirement, texts):
        if one.name == project["name"]:
            for inner in sorted(one.extras):
                yield from wanted(project, inner)
        else:
            yield one


def complaints(lock: str, project: dict[str, Any] = PROJECT) -> list[str]:
    """What is wrong with a lock file, a line each."""
    found = [f"names a host: {line}" for line in lock.splitlines() if "://" in line or line.startswith("-")]
    entries = re.split(r"^(?=[A-Za-z0-9])", re.sub(r"^\s*#.*\n", "", lock, flags=re.M), flags=re.M)[1:]
    pins = [Requirement(entry.partition("\\")[0].partition("--hash")[0].strip()) for entry in entries]
    found += [
        f"{pin.name} has no hash" for pin, text in zip(pins, entries, strict=True) if "--hash=sha256:" not in text
    ]
    for one, where in product([*wanted(project), *wanted(project, "dev")], WHERE):
        if one.marker and not one.marker.evaluate(where):
            continue
        place = f"on Python {where['python_version']}, {where['platform_system']}"
        here = [
            str(pin.specifier).removeprefix("==")
            for pin in pins
            if canonicalize_name(pin.name) == canonicalize_name(one.name)
            and (pin.marker is None or pin.marker.evaluate(where))
        ]
        if len(here) != 1:
            found.append(f"{one.name} has {len(here)} versions {place}")
        elif not here[0] or here[0] not in one.specifier:
            found.append(f"{one.name} {here[0]} is not {one.specifier} {place}")
    return found


def test_the_lock_has_what_the_project_asks_for_and_names_no_host() -> None:
    assert complaints(LOCK) == [], "run `make lock`"


def test_the_lock_is_for_every_python_that_the_project_claims() -> None:
    assert PROJECT["requires-python"] == f">={PYTHONS[0]}"
    assert len(PYTHONS) >= 3


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        (r"^click==", "clack==", "click has 0 versions on Python 3.11, Linux"),
        (r"^click==\S+", "click==8.0.9", "click 8.0.9 is not >=8.1 on Python 3.13, Windows"),
        (r"^(click==\S+)", r"\1 ; sys_platform != 'darwin'", "click has 0 versions on Python 3.12, Darwin"),
        (r"\A", "--index-url https://packages.example/simple\n", "names a host: --index-url"),
        (r"\A", "--find-links wheels\n", "names a host: --find-links wheels"),
        (r"^click==\S+", "click @ https://packages.example/click.whl", "names a host: click @"),
        (r"^(click==\S+) \\\n(?:    --hash.*\n)+", "\\1\n", "click has no hash"),
    ],
)
def test_a_lock_that_is_not_whole_is_caught(old: str, new: str, complaint: str) -> None:
    planted = re.sub(old, new, LOCK, count=1, flags=re.M)
    assert any(line.startswith(complaint) for line in complaints(planted))


def test_a_requirement_that_came_later_is_caught() -> None:
    later = {**PROJECT, "dependencies": [*PROJECT["dependencies"], "numpy>=99", "flask"]}
    found = complaints(LOCK, later)
    assert any(re.match(r"numpy \S+ is not >=99 on Python 3\.11", line) for line in found)
    assert "flask has 0 versions on Python 3.11, Linux" in found
