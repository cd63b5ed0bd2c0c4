"""Where sessions are kept: in the folder that `SIM_HOME` names, else in the project's `.sim`.

The project is the nearest folder upward that holds a `.git` or a `pyproject.toml`, else the working
directory. Neither needs git: where git is missing the same store is found.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from sim.base.errors import ConfigError
from sim.campaign.git import GitPlace

FOLDER = ".sim"
FILE = "sessions.sqlite"
VARIABLE = "SIM_HOME"
_MARKS = (".git", "pyproject.toml")


@dataclass(frozen=True)
class Home:
    """The folder of a store, and the project whose sessions are asked about."""

    folder: Path
    root: Path
    """The project's folder."""
    shared: bool
    """Whether sessions of other projects are kept there too."""

    @property
    def file(self) -> Path:
        return self.folder / FILE

    @property
    def is_made(self) -> bool:
        """Whether there is a store. Raises `ConfigError` if we may not know."""
        try:
            return self.file.exists()
        except OSError as error:
            raise ConfigError(self._unusable(error.strerror or str(error))) from None

    def project(self, place: GitPlace) -> str:
        """What sessions of this project are known by. A store of the project's own needs no name, so it may
        be moved; elsewhere it is the repository, which all its work trees share, or the folder."""
        return (place.repository or str(self.root)) if self.shared else ""

    def prepare(self) -> None:
        """Make the folder, for its owner alone, and hidden from git. Raises `ConfigError`."""
        try:
            if not self.folder.is_dir():
                self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not self.shared:
                ignore = self.folder / ".gitignore"
                if not ignore.exists() or not ignore.stat().st_size:  # a full disk leaves an empty one
                    ignore.write_text("*\n")
            if not self.file.exists():
                os.close(os.open(self.file, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as error:
            raise ConfigError(self._unusable(error.strerror or str(error))) from None
        self.check()

    def check(self) -> None:
        """Raises `ConfigError` if the store is not ours alone: whoever writes it says what a resume runs."""
        try:
            found = self.file.stat()
        except OSError as error:
            raise ConfigError(self._unusable(error.strerror or str(error))) from None
        if hasattr(os, "geteuid") and found.st_uid not in (os.geteuid(), 0):
            raise ConfigError(self._unusable("it belongs to another user"))
        if found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):  # as of one that came with files of somebody else's
            raise ConfigError(
                f"{self.file}: others may read or write it, and sessions say what is imported; "
                f"if it is your own: chmod 600 {self.file}"
            )

    def _unusable(self, why: str) -> str:
        return f"{self.folder}: no sessions can be kept there: {why}; set {VARIABLE} to a folder of your own"


def home(here: Path, variable: str | None) -> Home:
    """Where the sessions of whoever works in `here` are; `variable` is the value of `SIM_HOME`. Raises `ConfigError` if
    that begins with the home folder of nobody."""
    root = next((folder for folder in (here, *here.parents) if any((folder / m).exists() for m in _MARKS)), here)
    if variable:
        try:
            folder = Path(variable).expanduser().absolute()
        except RuntimeError:
            raise ConfigError(f"{VARIABLE}={variable}: there is no such home folder; write its path out") from None
        return Home(folder, root, shared=True)
    return Home(root / FOLDER, root, shared=False)
