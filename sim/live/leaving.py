"""How a run is left that has not ended: its coroutines, and what finalisers say of it afterwards."""

from __future__ import annotations

import ctypes
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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


@contextmanager
def quietly() -> Iterator[None]:
    """What is said of what is thrown away here, nobody hears: a coroutine that was never awaited, an exception in a finaliser.
    It was left where it stood."""
    told, sys.unraisablehook = sys.unraisablehook, lambda _: None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        sys.unraisablehook = told
