"""How a coroutine is left that has not ended."""

from __future__ import annotations

import ctypes
from contextlib import suppress
from typing import Any

CLOSES_MAX = 10
"""How often a coroutine is asked to end."""


def leave(coroutine: Any) -> None:
    """Leave it where it stands, whatever it does then. One that takes every exception and waits again is never thrown away:
    it would be asked once more, outside of its loop, where such code may go round forever."""
    for _ in range(CLOSES_MAX):
        with suppress(BaseException):
            coroutine.close()
        if getattr(coroutine, "cr_frame", None) is None:
            return
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(coroutine))
