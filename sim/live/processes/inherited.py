"""What a process has of its parent, if nobody says otherwise: variables, and where it writes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any


def environment() -> dict[str, str]:
    """The variables of the program."""
    return dict(os.environ)


def writer_of(target: Any, is_error: bool) -> Callable[[bytes], object]:
    """What takes what is written to `target`: of a process that has it of its parent, where that prints."""
    if target == subprocess.DEVNULL:
        return lambda _: None
    if isinstance(target, int):
        return lambda data: os.write(target, data)

    def write(data: bytes) -> None:
        file: Any = target if target is not None else sys.stderr if is_error else sys.stdout
        if file is not None:
            file.write(data.decode(errors="replace") if hasattr(file, "encoding") else data)

    return write
