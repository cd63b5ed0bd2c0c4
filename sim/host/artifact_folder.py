"""Artifacts in a folder: a file for each, for its owner alone, there whole or not at all."""

from __future__ import annotations

import contextlib
import errno as os_errno
import os
import stat
from pathlib import Path

from sim.base.errors import ConfigError
from sim.host.adapter import AdapterError
from sim.host.artifact import KEY_FIELDS, Artifact, ArtifactKeeper, Key, refuse_other, written

NO_LINKS = ("EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK")


class ArtifactFolder(ArtifactKeeper):
    """Writes artifacts as JSON into `folder`, which is made if it is not there. Raises `ConfigError` for one that is not ours
    alone."""

    def __init__(self, folder: str | Path, key: Key = KEY_FIELDS) -> None:
        super().__init__(key)
        self.folder = Path(folder)
        _private(self.folder)

    def __repr__(self) -> str:
        return f"ArtifactFolder({str(self.folder)!r})"

    def file(self, artifact: Artifact) -> Path:
        """Where it stands."""
        return self.folder / f"{artifact.name}.json"

    def write(self, artifact: Artifact) -> None:
        file = self.file(artifact)
        beside = file.with_name(f".{artifact.name}.part")
        data = written(artifact.content + "\n")
        try:
            if not _is_there(file, data, artifact):
                _write(beside, data)
                try:
                    _move(beside, file)
                except FileExistsError:  # somebody else was first
                    if not _is_there(file, data, artifact):
                        raise
                finally:
                    beside.unlink(missing_ok=True)
            _sync(self.folder)  # also of one that is found: a stop may have come before this
        except OSError as error:
            raise AdapterError(
                f"{self.folder}: an artifact cannot be written: {error.strerror}; it is not lost: make room or make it "
                "writable, then resume"
            ) from None


def _is_there(file: Path, data: bytes, artifact: Artifact) -> bool:
    """Whether it is written already. Raises `AdapterError` if something else is."""
    try:
        with os.fdopen(os.open(file, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), "rb") as found:
            same = found.read(len(data) + 1) == data
    except FileNotFoundError:
        return False
    if not same:
        raise refuse_other(artifact, str(file))
    return True


def _write(beside: Path, data: bytes) -> None:
    """A new file with this content, on the disk. What a stop has left under its name is removed."""
    beside.unlink(missing_ok=True)
    number = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
    with os.fdopen(number, "wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())


def _move(beside: Path, file: Path) -> None:
    """Gives it its name, in one step. Raises `FileExistsError` instead of taking the place of another file, which a rename
    would."""
    try:
        os.link(beside, file)
    except FileExistsError:
        raise
    except OSError as error:
        if not any(error.errno == getattr(os_errno, name, None) for name in NO_LINKS):
            raise
        os.rename(beside, file)  # a file system without links; it was looked for a moment ago


def _sync(folder: Path) -> None:
    """The names in it are on the disk."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _private(folder: Path) -> None:
    """Makes the folder for its owner only, or refuses one that is not."""
    with contextlib.suppress(FileExistsError):
        try:
            folder.mkdir(mode=0o700)
        except FileNotFoundError:
            raise ConfigError(f"{folder}: there is no folder {folder.parent}; make it first") from None
        except FileExistsError:
            raise
        except OSError as error:
            raise ConfigError(f"{folder}: no artifacts can be kept there: {error.strerror}") from None
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise ConfigError(f"{folder}: is a link, or not a folder; name a folder")
    if hasattr(os, "geteuid") and found.st_uid not in (os.geteuid(), 0):
        raise ConfigError(f"{folder}: belongs to another user; name a folder of your own")
    if found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError(f"{folder}: others may read or write it; if it is your own: chmod 700 {folder}")
