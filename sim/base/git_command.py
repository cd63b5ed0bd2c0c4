"""The one way to run git: it reads a repository, and nothing that the repository is set to do happens.

A repository's configuration can name programs: for a filter, a hook, a signature, a monitor of files, a transport from
which missing objects are fetched. A folder that we merely look at must start none of them. So nothing is fetched, every
setting that names a program for a command of ours is overridden, and whatever still takes too long is ended, with all
that it has started.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path

_SAFE = (
    "--no-pager",
    "--no-optional-locks",  # our status must not make others wait
    "-c",
    "core.fsmonitor=false",
    "-c",
    f"core.hooksPath={os.devnull}",
    "-c",
    "log.showSignature=false",
)
_NO_FETCH = {"GIT_ALLOW_PROTOCOL": "none", "GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
"""A protocol called none does not exist. Git has the second variable since 2.44; we read what it says, in English."""
_NO_FILTER = {"clean": "", "smudge": "", "process": "", "required": "false"}


class NoAnswer(Exception):
    """Why git says nothing; empty if git itself does not say."""


def run_git(folder: Path, *words: str, limit_s: float, feed: bytes = b"") -> bytes:
    """What a git command prints that reads no file of the work tree. Raises `NoAnswer`."""
    return _run(folder, words, limit_s, feed, {})


def run_git_on_files(folder: Path, *words: str, limit_s: float) -> bytes:
    """The same for a command that compares files of the work tree, which git would pass through the filters that the
    repository is set to use: they are switched off by name. Raises `NoAnswer`."""
    return _run(folder, words, limit_s, b"", _without_filters(folder, limit_s))


def _without_filters(folder: Path, limit_s: float) -> dict[str, str]:
    """Variables that override each filter that any configuration knows."""
    keys = run_git(folder, "config", "--list", "--name-only", "-z", limit_s=limit_s).split(b"\0")
    names = dict.fromkeys(
        key.removeprefix(b"filter.").rpartition(b".")[0]
        for key in keys
        if key.startswith(b"filter.") and key.count(b".") > 1
    )
    settings = [(f"filter.{os.fsdecode(name)}.{key}", value) for name in names for key, value in _NO_FILTER.items()]
    first = int(os.environ.get("GIT_CONFIG_COUNT") or 0)  # settings of the user's own, such as `safe.directory`
    found = {"GIT_CONFIG_COUNT": str(first + len(settings))}
    for number, (key, value) in enumerate(settings, first):
        found |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return found


def _run(folder: Path, words: tuple[str, ...], limit_s: float, feed: bytes, more: dict[str, str]) -> bytes:
    try:
        child = subprocess.Popen(  # noqa: S603  words of ours; names that users give stand behind a separator
            ["git", *_SAFE, "-C", str(folder), *words],  # noqa: S607
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **_NO_FETCH, **more},
            start_new_session=True,  # so that what it starts can be ended with it
        )
    except FileNotFoundError:
        raise NoAnswer("git is not installed") from None
    except (OSError, ValueError) as error:
        raise NoAnswer(f"git cannot be run: {getattr(error, 'strerror', None) or error}") from None
    with child:
        try:
            said, told = child.communicate(feed, timeout=limit_s)
        except BaseException as error:
            _end(child)
            if isinstance(error, subprocess.TimeoutExpired):
                raise NoAnswer(f"git gave no answer in {limit_s:g} s") from None
            raise
    if child.returncode:
        raise NoAnswer(_reason(told.decode(errors="replace")))
    return said


def _end(child: subprocess.Popen[bytes]) -> None:
    """End a command that is under way, and what it has started."""
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except AttributeError:  # a system without groups of processes
        child.kill()
    except ProcessLookupError:
        pass  # it has just ended


def _reason(told: str) -> str:
    if "dubious ownership" in told:
        return "git refuses a repository of another owner"
    if "not a git repository" in told:
        return "no git repository"
    if "must be run in a work tree" in told:
        return "no work tree"
    if re.search(r"^fatal: transport '.*' not allowed$", told, re.MULTILINE):
        return "the repository lacks an object, and nothing is fetched to look at it; run git fetch there"
    return next(iter(told.splitlines()), "").removeprefix("fatal: ")
