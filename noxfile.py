"""The gate on every Python that pyproject.toml names, and on systems without make: `nox --session test`. Asyncio programs under
simulation stand on what the standard library does inside: their tests alone are run on the next Python too, `nox --session live`.

What is run stands in the Makefile alone: a session runs the recipes of its targets in an environment of its own.
An interpreter that this machine does not have is told and left out; `--error-on-missing-interpreters` makes it an
error, as it should be where the interpreter was asked for.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import nox

nox.options.sessions = ["test"]
nox.options.error_on_missing_interpreters = False

ROOT = Path(__file__).parent
PYTHONS = nox.project.python_versions(nox.project.load_toml(ROOT / "pyproject.toml"))
NEXT = "3.14"
"""Not claimed yet."""


def recipe(makefile: str, target: str) -> list[list[str]]:
    """The commands of a target, as words, with the folder of the environment's programs left out."""
    found = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", makefile, re.M)
    if found is None:
        raise KeyError(f"the Makefile has no recipe for {target}")
    lines = [line.strip().removeprefix("$(BIN)/") for line in found[1].splitlines()]
    if unread := [line for line in lines if re.search(r"[$@&|;\\]", line)]:
        raise ValueError(f"only make understands this line of {target}: {unread[0]}")
    return [shlex.split(line) for line in lines]


def install(session: nox.Session) -> None:
    """As the Makefile does: the pinned versions, then the project."""
    session.install("--require-hashes", "--requirement", "requirements.lock")
    session.install("--no-deps", "--no-build-isolation", "--editable", ".")


@nox.session(python=PYTHONS)
def test(session: nox.Session) -> None:
    """The gate. Words after `--` go to pytest."""
    install(session)
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for command in recipe(makefile, "lint"):
        session.run(*command)
    for command in recipe(makefile, "unit"):
        session.run(*command, *session.posargs)


@nox.session(python=[*PYTHONS, NEXT])
def live(session: nox.Session) -> None:
    """The tests of asyncio programs, on the newest versions of what they need: what is pinned may not know that Python."""
    session.install(".[http]", "pytest")
    session.run("python", "-m", "pytest", *(session.posargs or ["tests/live"]))
