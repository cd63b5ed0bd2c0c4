"""Writes a report into the file that an option named."""

from __future__ import annotations

from pathlib import Path

from sim.base.errors import ConfigError
from sim.base.files import unplain, write_whole


def write_report(path: str, text: str, option: str) -> None:
    """Write `text` to `path`, which `option` named: whole, or not at all. A lone surrogate (a file name may have one)
    is escaped, as in JSON. Raises `ConfigError`."""
    if mistake := unplain(path):
        raise ConfigError(f"{option} {mistake}")
    try:
        write_whole(Path(path), text.encode("utf-8", "backslashreplace").decode("utf-8"))
    except OSError as error:
        reason = error.strerror or error
        raise ConfigError(f"{option} {path}: cannot be written: {reason}; name a writable file") from None
