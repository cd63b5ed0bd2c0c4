"""Where compiled code comes from and where it is kept.

numba keeps compiled code beside the source, else in the user's cache folder; where neither can be
written, a folder of ours is tried, and without any the code is compiled anew in each process.
"""

from __future__ import annotations

import importlib.util
import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any


def missing() -> str:
    """What is missing for compiled walks, in one line; empty if nothing is."""
    if importlib.util.find_spec("numba") is None:
        return "numba is not installed: the plain engine does it all, slower; pip install 'roundsim[fast]'"
    return ""


def compiled(function: Callable[..., Any]) -> Any:
    """The function as machine code, made at its first call and kept between runs."""
    import numba

    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "boundscheck": False}
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:  # "no locator available": nothing that numba knows of can be written
        folder = _own_folder()
        if folder is None:
            return numba.njit(**options)(function)
        numba.config.CACHE_DIR = folder
        return numba.njit(cache=True, **options)(function)


def _own_folder() -> str | None:
    """A folder that only this user can write: what is in it will be run."""
    folder = Path(tempfile.gettempdir()) / f"roundsim-compiled-{os.getuid() if hasattr(os, 'getuid') else 'user'}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        info = folder.lstat()
    except OSError:
        return None
    ours = not hasattr(os, "getuid") or (info.st_uid == os.getuid() and not info.st_mode & 0o077)
    return str(folder) if ours and stat.S_ISDIR(info.st_mode) else None
