"""Where sessions are kept: in the folder that a variable names (`SIM_HOME`), otherwise in the project's own (`.sim`).

The project is the nearest folder upward that holds a `.git` or a `pyproject.toml`, otherwise the working directory.
Neither requires git: without git the same store is found.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sim.base.errors import ConfigError
from sim.sessions import hold
from sim.sessions.git import GitPlace

FOLDER = ".sim"
FILE = "sessions.sqlite"
IGNORE = ".gitignore"
_BESIDE = (f"{FILE}-wal", f"{FILE}-shm", f"{FILE}-journal", hold.FILE, IGNORE)
"""What else may stand in the folder."""
VARIABLE = "SIM_HOME"
_MARKS = (".git", "pyproject.toml")


@dataclass(frozen=True)
class Home:
    """The folder of a store, and the project whose sessions are meant."""

    folder: Path
    root: Path
    """The project's folder."""
    shared: bool
    """Whether it also holds sessions of other projects."""
    variable: str = VARIABLE
    """The variable that may name another folder."""

    @property
    def file(self) -> Path:
        return self.folder / FILE

    @property
    def is_made(self) -> bool:
        """Whether the store exists. Raises `ConfigError` if we are not allowed to know."""
        try:
            return self.file.exists()
        except OSError as error:
            raise ConfigError(self._unusable(error.strerror or str(error))) from None

    def project(self, place: GitPlace) -> str:
        """The key of this project's sessions. The project's own store needs no key, so it may be moved; elsewhere it is
        the repository, which all its work trees share, or the folder."""
        return (place.repository or str(self.root)) if self.shared else ""

    @property
    def is_apart(self) -> bool:
        """Whether it lies where no files of the project come: what is in there, the user has put there."""
        return self.shared and not self.folder.resolve().is_relative_to(self.root.resolve())

    def prepare(self) -> None:
        """Create the folder, for its owner only, and hidden from git. Raises `ConfigError`."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.check()
            if not self.shared:
                ignore = self.folder / IGNORE
                if not ignore.exists() or not ignore.stat().st_size:  # a full disk leaves an empty one
                    ignore.write_text("*\n")
            if not self.file.exists():
                os.close(os.open(self.file, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as error:
            raise ConfigError(self._unusable(error.strerror or str(error))) from None
        self.check()

    def check(self) -> None:
        """Raises `ConfigError` if the store is not ours only: whoever writes it decides what a resume runs."""
        try:
            self._check_owner(self.folder, self.folder.stat() if self.shared else self.folder.lstat(), stat.S_ISDIR)
            for name in (FILE, *_BESIDE):
                file = self.folder / name
                try:
                    found = file.lstat()
                except FileNotFoundError:
                    continue
                self._check_owner(file, found, stat.S_ISREG)
                if found.st_nlink > 1:
                    raise ConfigError(self._not_itself(file))
        except OSError as error:
            raise ConfigError(self._unusable(error.strerror or str(error))) from None

    def _check_owner(self, path: Path, found: os.stat_result, is_itself: Callable[[int], bool]) -> None:
        if hasattr(os, "geteuid") and found.st_uid not in (os.geteuid(), 0):
            raise ConfigError(self._unusable("it belongs to another user"))
        if not is_itself(found.st_mode):
            raise ConfigError(self._not_itself(path))
        if path == self.file and found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise ConfigError(
                f"{path}: others may read or write it, and sessions decide what is imported; "
                f"if it is your own: chmod 600 {path}"
            )
        if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and path.name != IGNORE:  # that one is for git only
            raise ConfigError(
                f"{path}: others may write to it, and sessions decide what is imported; "
                f"if it is your own: chmod go-w {path}"
            )

    def _not_itself(self, path: Path) -> str:
        kind = "folder" if path == self.folder else "file"
        return f"{path}: is a link, or no {kind} at all; a store has a {kind} of its own there: remove it"

    def _unusable(self, why: str) -> str:
        return f"{self.folder}: no sessions can be kept there: {why}; set {self.variable} to a folder that you own"


def home(here: Path, named: str | None, *, folder: str = FOLDER, variable: str = VARIABLE) -> Home:
    """The store for work in the folder `here`; `named` is the value of `variable`, `folder` the project's own one. Raises
    `ConfigError` if the value begins with the home folder of an unknown user."""
    root = next((folder for folder in (here, *here.parents) if any((folder / m).exists() for m in _MARKS)), here)
    if named:
        try:
            path = Path(named).expanduser().absolute()
        except RuntimeError:
            raise ConfigError(f"{variable}={named}: home folder not found; write the full path") from None
        return Home(path, root, shared=True, variable=variable)
    return Home(root / folder, root, shared=False, variable=variable)
