"""Writes a report into the file that an option named."""

from __future__ import annotations

from pathlib import Path

from sim.errors import ConfigError
from sim.files import write_whole


def write_report(path: str, text: str, option: str) -> None:
    """Write `text` to `path`, which `option` named: whole, or not at all. Raises `ConfigError`."""
    try:
        write_whole(Path(path), text)
    except OSError as error:
        reason = error.strerror or error
        raise ConfigError(f"{option} {path}: cannot be written: {reason}; name a file that can be") from None
