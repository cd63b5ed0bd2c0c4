"""What git says about the current folder: branch, commit, uncommitted changes, work tree.

There is always an answer: without git, without a repository, if git refuses to read it or does not answer in time, it
is "no branch", with the reason. Nothing is written, nothing that the repository is set to run is run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sim.base.git_command import NoAnswer, run_git, run_git_on_files

TIME_LIMIT_S = 5.0
"""Seconds that one git command may take."""
_STATUS = ("status", "--porcelain=v2", "--branch", "--untracked-files=no", "--ignore-submodules=all", "--no-renames")


@dataclass(frozen=True)
class GitPlace:
    """Where we are in git. What is unknown is None; then `why` says why there is no branch."""

    branch: str | None = None
    commit: str | None = None
    """None on a branch without a commit."""
    dirty: bool | None = None
    """Whether tracked files differ from the commit."""
    work_tree: str | None = None
    repository: str | None = None
    """The folder that all work trees of the repository share."""
    why: str = ""

    @property
    def shown(self) -> str:
        """The branch, or the reason why there is no branch, for people."""
        return self.branch if self.branch is not None else f"no branch ({self.why})"


def look(folder: Path, *, brief: bool = False) -> GitPlace:
    """Where in git `folder` is; if `brief`, without commit and changes, for which git looks at every file."""
    try:
        work_tree = _said(folder, "rev-parse", "--show-toplevel")
        common = _said(folder, "rev-parse", "--git-common-dir")
        repository = str((folder / common).resolve())
    except (NoAnswer, OSError) as no:
        return GitPlace(why=str(no) or "git failed")
    branch = _branch(folder)
    commit, dirty = (None, None) if brief else _changes(folder)
    return GitPlace(
        branch=branch,
        commit=commit,
        dirty=dirty,
        work_tree=work_tree,
        repository=repository,
        why="" if branch is not None else "detached HEAD",
    )


def former_names(folder: Path, branch: str) -> tuple[str, ...]:
    """The former names of `branch`, by its reflog, that no branch has now."""
    try:
        told = _lines(folder, "reflog", "show", "--format=%gs", f"refs/heads/{branch}", "--")
        now = branches(folder)
    except NoAnswer:
        return ()
    found: dict[str, None] = {}
    for line in told:
        begin, _, rest = line.partition("renamed refs/heads/")
        before, arrow, _ = rest.partition(" to refs/heads/")
        if begin == "Branch: " and arrow and before not in now:
            found[before] = None
    return tuple(found)


def branches(folder: Path) -> tuple[str, ...]:
    """The existing branches; empty if git does not answer."""
    try:
        return tuple(_lines(folder, "for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads/"))
    except NoAnswer:
        return ()


def spelt(name: bytes) -> str:
    """A name from git, which may be any bytes, as a text that can be stored and shown."""
    return name.decode("utf-8", "backslashreplace")


def _changes(folder: Path) -> tuple[str | None, bool | None]:
    """The commit that HEAD is, and whether tracked files differ from it. If there are too many files to tell in time,
    the branch is known anyway."""
    try:
        told = _said(folder, *_STATUS, run=run_git_on_files)
    except NoAnswer:
        return None, None
    status = told.split("\n")
    heads = dict(line[2:].split(" ", 1) for line in status if line.startswith("# branch."))
    commit = heads.get("branch.oid", "(initial)")
    return None if commit == "(initial)" else commit, any(not line.startswith("#") for line in status)


def _branch(folder: Path) -> str | None:
    """The branch that HEAD is on, with or without a commit; None if it is detached."""
    try:
        return _said(folder, "symbolic-ref", "--quiet", "HEAD").removeprefix("refs/heads/")
    except NoAnswer:
        return None


def _lines(folder: Path, *words: str) -> list[str]:
    """The lines that a git command prints; other line ends of Unicode may be part of a branch's name."""
    said = _said(folder, *words)
    return said.split("\n") if said else []


def _said(folder: Path, *words: str, run: Callable[..., bytes] = run_git) -> str:
    """What a git command prints, without the end of its last line."""
    said = run(folder, *words, limit_s=TIME_LIMIT_S)
    if b"\0" in said:
        raise NoAnswer("git's answer cannot be read")
    return spelt(said).removesuffix("\n")
