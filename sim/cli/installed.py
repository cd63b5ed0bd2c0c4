"""What roundsim finds where it runs: its own parts, programs, and packages that extras bring."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

from sim.base.errors import SimError
from sim.base.git_command import NoAnswer, run_git

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
POSTGRES = Path("/usr/lib/postgresql")
"""Where Debian has the programs of a server, which are on no PATH."""
TIME_LIMIT_S = 5.0
"""Seconds that a program may take to say its version."""


class InstalledPart(NamedTuple):
    """A part: whether it is there, in which version, what it is for, and how to get it."""

    name: str
    there: bool
    version: str
    purpose: str
    remedy: str


def installed_parts() -> list[InstalledPart]:
    """All parts, the most needed first. No package is imported for it."""
    return [*_own(), *_programs(), *_packages()]


def _own() -> Iterator[InstalledPart]:
    from sim.native import missing

    yield InstalledPart("roundsim", True, version("roundsim"), "all of it", "")
    python = f"{platform.python_implementation()} {platform.python_version()}, {_home(sys.prefix)}"
    yield InstalledPart("Python", True, python, "running it", "")
    why = missing()
    remedy = f"{why}; without it everything works, slower"
    yield InstalledPart("compiled walk", not why, "loaded", "checks and fuzzes at millions of steps a second", remedy)
    yield _store()


def _store() -> InstalledPart:
    from sim.sessions.home import VARIABLE, home

    purpose = "keeping sessions, which sim resume goes on with"
    try:
        found = home(Path.cwd(), os.environ.get(VARIABLE))
        if found.is_made:
            found.check()
        nearest = next(path for path in (found.folder, *found.folder.parents) if path.exists())
        usable = os.access(nearest, os.W_OK | os.X_OK)
        where = f"{found.folder}{'' if found.is_made else ', made when it is first needed'}"
        return InstalledPart(
            "session store", usable, where, purpose, f"{nearest} is not writable; set {VARIABLE} to a folder that is"
        )
    except (OSError, SimError) as error:
        said = error.mistakes[0] if isinstance(error, SimError) else str(error)
        return InstalledPart("session store", False, "", purpose, said)


def _programs() -> Iterator[InstalledPart]:
    yield _git("sessions by branch; sim surface of revisions")
    yield _program(
        "Chromium", BROWSERS, "looking at pages in tests; any browser of 2024 shows them", "install chromium"
    )
    yield _program("C++ compiler", ("c++", "g++", "clang++"), "building the compiled walk", "install g++ or clang")
    servers = tuple(str(path) for path in sorted(POSTGRES.glob("*/bin/postgres"), reverse=True))
    remedy = "install postgresql; SQLite is used without it"
    yield _program("PostgreSQL server", ("postgres", *servers), "a journal that several hosts share", remedy)


def _git(purpose: str) -> InstalledPart:
    try:
        said = run_git(Path(sys.prefix), "version", limit_s=TIME_LIMIT_S).decode(errors="replace").strip()
    except NoAnswer as no:
        return InstalledPart("git", False, "", purpose, f"{no}; install git")
    return InstalledPart("git", True, said, purpose, "")


def _program(name: str, commands: tuple[str, ...], purpose: str, remedy: str) -> InstalledPart:
    path = next(filter(None, map(shutil.which, commands)), None)
    if path is None:
        return InstalledPart(name, False, "", purpose, remedy)
    return InstalledPart(name, True, _version_of(path), purpose, remedy)


def _version_of(path: str) -> str:
    """What a program says of itself, in a line; its path if it says nothing."""
    try:
        said = subprocess.run(  # noqa: S603 - a program of the user's PATH, asked for its version
            [path, "--version"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=TIME_LIMIT_S,
            check=False,
        ).stdout.decode(errors="replace")
    except (OSError, subprocess.SubprocessError):
        said = ""
    return (said.strip().splitlines() or [path])[0][:80]


PACKAGES = (
    ("psycopg", "psycopg", "postgres", "journals in PostgreSQL"),
    ("httpx", "httpx", "http", "agents over HTTP in sim host"),
    ("Dask", "distributed", "dask", "campaigns on many machines, by --engine dask"),
    ("Ray", "ray", "ray", "campaigns on many machines, by --engine ray"),
    ("OpenTelemetry", "opentelemetry-sdk", "otel", "sim status --format otel, and spans of a host"),
    ("tree-sitter", "tree-sitter-rust", "surface", "sim surface of Rust crates"),
    ("griffe", "griffelib", "surface", "sim surface of Python packages"),
    ("pytest", "pytest", "", "tests that explore: the fixtures and @explore"),
)
"""What it is called, the distribution, the extra that brings it, and what it is for."""


def _packages() -> Iterator[InstalledPart]:
    for name, distribution, extra, purpose in PACKAGES:
        remedy = f"pip install 'roundsim[{extra}]'" if extra else f"pip install {distribution}"
        try:
            yield InstalledPart(name, True, version(distribution), purpose, remedy)
        except PackageNotFoundError:
            yield InstalledPart(name, False, "", purpose, remedy)


def _home(path: str) -> str:
    """A path as a user writes it."""
    home = os.path.expanduser("~")
    return f"~{path.removeprefix(home)}" if home != "/" and path.startswith(f"{home}/") else path
