"""An interrupt where Python has no place for one."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def interrupt_afterwards() -> Iterator[None]:
    """Keeps an interrupt until the end of the block. One that strikes while numpy is loaded comes up inside of its machine
    code, and ends as another error than an interrupt."""
    struck: list[int] = []
    before = signal.getsignal(signal.SIGINT)
    try:
        signal.signal(signal.SIGINT, lambda number, _: struck.append(number))
    except ValueError:  # only the main thread may, and only there an interrupt comes up
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if struck:
            raise KeyboardInterrupt
