"""How who stands for a process reads."""

from __future__ import annotations

import asyncio
import sys
from typing import Any


class Stdin(asyncio.StreamReader):
    """As of a process that reads where it waits for something, and takes nothing out of the pipe before. A line may be as long
    as it is."""

    _paused: bool
    _waiter: Any
    _transport: Any

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(limit=sys.maxsize // 4, loop=loop)

    def set_transport(self, transport: Any) -> None:
        super().set_transport(transport)
        if self._waiter is None:
            self._pause()

    def feed_data(self, data: Any) -> None:
        super().feed_data(data)
        self._pause()

    def _pause(self) -> None:
        """Until somebody waits: then the reader itself goes on."""
        self._paused = True
        self._transport.pause_reading()

    def _maybe_resume_transport(self) -> None:
        """Not because something was taken."""
