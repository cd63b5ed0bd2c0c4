"""A journal in a file of SQLite: for its owner alone, in one transaction an input, on the disk before anything else happens."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from sim.base.errors import ConfigError
from sim.sessions.hold import lock_file
from sim.sessions.store_file import StoreFile

_ADVICE = {
    "SQLITE_FULL": "the disk is full; what was journaled is kept: free some space, then resume",
    "SQLITE_IOERR": "cannot be written or read; what was journaled is kept: look at the disk, then resume",
    "SQLITE_READONLY": "cannot be written to; what was journaled is kept: make it writable, then resume",
    "SQLITE_CANTOPEN": "cannot be opened; make its folder readable and writable, or name another file",
    "SQLITE_BUSY": "another process has locked it for more than 30 s; end that process, or try again",
    "SQLITE_NOTADB": "is not a journal; name another file",
    "SQLITE_CORRUPT": "is damaged; `sqlite3 FILE .recover` saves what can be read; name another file",
}


class SqliteFile(StoreFile):
    """The file, opened; it is made if it is not there. Raises `ConfigError` if it is not ours alone, or no journal."""

    program = "sim host"
    tables = ("journal", "session", "machine", "mail", "trace")
    synchronous = "FULL"

    def __init__(self, path: Path, migrations: tuple[str, ...], *, fresh: bool = True) -> None:
        self._lock: int | None = None
        _private(path, fresh=fresh)
        super().__init__(path, migrations)

    def hold(self) -> None:
        """Nobody else may host this journal until it is closed. Raises `ConfigError` if somebody does."""
        if self._lock is None:
            busy = f"{self.file}: is hosted already; end who does, or name another journal"
            self._lock = lock_file(self.file.with_name(self.file.name + ".lock"), busy)

    def close(self) -> None:
        super().close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    @property
    def name(self) -> str:
        """What to call it."""
        return str(self.file)

    def _advice(self, name: str) -> str:
        return next((advice for begin, advice in _ADVICE.items() if name.startswith(begin)), "cannot be used")


def _private(path: Path, *, fresh: bool) -> None:
    """Makes the file for its owner only, or refuses one that is not."""
    try:
        if not path.parent.is_dir():
            raise ConfigError(f"{path}: there is no folder {path.parent}; make it first")
        try:
            found = path.lstat()
        except FileNotFoundError:
            if not fresh:
                raise ConfigError(f"{path}: there is no such journal") from None
            os.close(os.open(path, os.O_CREAT | os.O_RDWR | getattr(os, "O_NOFOLLOW", 0), 0o600))
            return
    except OSError as error:
        raise ConfigError(f"{path}: no journal can be kept there: {error.strerror}") from None
    if not stat.S_ISREG(found.st_mode):
        raise ConfigError(f"{path}: is a link, or no file at all; name a file")
    if hasattr(os, "geteuid") and found.st_uid not in (os.geteuid(), 0):
        raise ConfigError(f"{path}: belongs to another user; name a journal of your own")
    if found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError(f"{path}: others may read or write it; if it is your own: chmod 600 {path}")
