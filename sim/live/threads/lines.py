"""Lines at which threads give way, in modules that the program names: between two of them another thread may do anything."""

from __future__ import annotations

import sys
from types import FrameType, ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.live.threads.run_threads import RunThreads


class Lines:
    """The modules that are looked at, in one run."""

    def __init__(self, threads: RunThreads) -> None:
        self._threads = threads
        self._files: dict[str, None] = {}

    def add(self, module: ModuleType) -> None:
        """Lines of this module are points, for threads that begin after this. Raises `LookupError` for one that is not
        written in Python."""
        file = getattr(module, "__file__", None)
        if not isinstance(file, str) or not file.endswith(".py"):
            raise LookupError(module.__name__)
        self._files[file] = None

    def trace(self) -> None:
        """This thread gives way at them, from here on."""
        if self._files:
            sys.settrace(self._enters)

    def forget(self) -> None:
        """This thread does so no longer."""
        if self._files:
            sys.settrace(None)

    def _enters(self, frame: FrameType, event: str, _: Any) -> Any:
        return self._runs if event == "call" and frame.f_code.co_filename in self._files else None

    def _runs(self, _: FrameType, event: str, __: Any) -> Any:
        if event == "line":
            self._threads.point()
        return self._runs
