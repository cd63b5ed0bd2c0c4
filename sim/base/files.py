"""Writes a file whole, or not at all; reads TOML; which names files may have."""

from __future__ import annotations

import os
import re
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


TOML_MAX = 1 << 20
KEY_PARTS_MAX = 64
_PART = r"""(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')"""
_LONG_KEY = re.compile(rf"(?<![\w.-]){_PART}(?:[ \t]*\.[ \t]*{_PART}){{{KEY_PARTS_MAX}}}")


def read_toml(data: bytes) -> dict[str, Any]:
    """What the content of a TOML file says. Raises `ValueError` with what is wrong."""
    if len(data) > TOML_MAX:
        raise ValueError(f"it has {len(data):,} bytes; at most {TOML_MAX:,} are read")
    text = data.decode("utf-8")
    if found := _LONG_KEY.search(text):  # the time that tomllib takes for one grows with the square of its length
        line = text.count("\n", 0, found.start()) + 1
        raise ValueError(f"a key has more than {KEY_PARTS_MAX} parts (at line {line})")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def unplain(name: str) -> str:
    """Why a file cannot have this name: it breaks a line or steers a terminal, so a command that shows it could not be
    copied. Empty for any other name, even if its bytes are not UTF-8."""
    text = name.encode(errors="replace").decode()
    return "" if printable(text) == text else f"{name!r}: a file name cannot have control characters; rename it"
