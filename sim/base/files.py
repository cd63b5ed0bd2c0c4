"""Writes a file whole, or not at all; reads TOML; which names files may have."""

from __future__ import annotations

import os
import tomllib
from itertools import count
from pathlib import Path
from typing import Any

from sim.base.printing import printable


def write_whole(path: Path, text: str) -> None:
    """Write `text` next to the file, then move it into place in one step; its folder is created. A device or a pipe,
    which cannot be replaced, is written to. Raises `OSError`; then the old file is unchanged."""
    if path.exists() and not path.is_file():
        path.write_text(text, "utf-8")
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = _beside(path, text.encode())
    try:
        os.replace(beside, path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise


def _beside(path: Path, data: bytes) -> Path:
    """A new file in the same folder that holds `data`."""
    for attempt in count():
        beside = path.with_name(f".{path.name}.{os.getpid()}.{attempt}")
        try:
            stream = beside.open("xb")
        except FileExistsError:
            continue
        try:
            with stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
        return beside
    raise AssertionError


def read_toml(data: bytes) -> dict[str, Any]:
    """What the content of a TOML file says. Raises `ValueError` with what is wrong."""
    try:
        return tomllib.loads(data.decode("utf-8"))
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def unplain(name: str) -> str:
    """Why a file cannot have this name: it breaks a line or steers a terminal, so a command that shows it could not be
    copied. Empty for any other name, even if its bytes are not UTF-8."""
    text = name.encode(errors="replace").decode()
    return "" if printable(text) == text else f"{name!r}: a file name cannot have control characters; rename it"
