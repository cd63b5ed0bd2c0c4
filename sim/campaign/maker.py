"""Who made a session: it is sealed with a key that lies in the user's own state folder, where no project puts files.

A session decides what is imported when it is resumed or shown, and a folder of sessions may have come with a project:
with a clone or an archive, under a strict umask, it looks like one's own. It has no seal of ours, though. A seal covers
the place of the store too: one that was sent away and came back elsewhere is no longer ours.
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
import stat
from pathlib import Path

from sim.base.errors import ConfigError

VARIABLE = "XDG_STATE_HOME"
KEY_BYTES = 32


def state_folder(variable: str | None) -> Path:
    """The folder of the user's own state; `variable` is the value of `XDG_STATE_HOME`, which counts if it is a full
    path. Raises `ConfigError` if the user has no home folder."""
    if variable and Path(variable).is_absolute():
        return Path(variable) / "roundsim"
    try:
        return Path.home() / ".local" / "state" / "roundsim"
    except RuntimeError:
        raise ConfigError(
            f"you have no home folder to keep a key in; set {VARIABLE} to a folder that you own"
        ) from None


class Maker:
    """The user, by the key in `folder`. It is made when something is sealed for the first time."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "key"
        self._key = b""

    def seal(self, *texts: str) -> str:
        """The seal of some texts. Raises `ConfigError` if no key can be kept."""
        if not self.file.exists():
            self._make()
        return self._sealed(texts)

    def has_sealed(self, seal: str, *texts: str) -> bool:
        """Whether `seal` is that of the texts."""
        return self.file.exists() and hmac.compare_digest(self._sealed(texts).encode(), seal.encode("utf-8", "replace"))

    def _sealed(self, texts: tuple[str, ...]) -> str:
        self._key = self._key or self._read()
        return hmac.digest(self._key, json.dumps(texts).encode(), "sha256").hex()

    def _make(self) -> None:
        """Write the key next to its place, then link it there: of two processes that do so at once one is first."""
        beside = self.file.with_name(f".key.{os.getpid()}")
        try:
            self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            beside.unlink(missing_ok=True)
            with open(os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as stream:
                stream.write(secrets.token_bytes(KEY_BYTES))
            try:
                os.link(beside, self.file)
            except FileExistsError:
                pass
            finally:
                beside.unlink()
        except OSError as error:
            raise ConfigError(self._unusable(error)) from None

    def _read(self) -> bytes:
        try:
            with open(os.open(self.file, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), "rb") as stream:
                found, key = os.fstat(stream.fileno()), stream.read(KEY_BYTES + 1)
        except OSError as error:
            raise ConfigError(self._unusable(error)) from None
        is_private = not found.st_mode & (stat.S_IRWXG | stat.S_IRWXO)
        if len(key) != KEY_BYTES or not is_private or (hasattr(os, "geteuid") and found.st_uid != os.geteuid()):
            raise ConfigError(
                f"{self.file}: is not a key that only you can read; remove it, then: sim sessions --adopt"
            )
        return key

    def _unusable(self, error: OSError) -> str:
        return (
            f"{self.file}: no key can be kept there: {error.strerror or error}; set {VARIABLE} to a folder that you own"
        )
