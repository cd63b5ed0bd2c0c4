"""The two signals of a run, by which it is told to stop, for programs that listen with `signal.signal`, as servers do.

Such a handler runs at once, wherever the program waits; it does not wake the loop, which goes on to sleep.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from importlib import import_module
from typing import Any, NoReturn

from sim.live.entering import Entering, Surrounded
from sim.live.in_place import Swaps

STOPS = (signal.SIGINT, signal.SIGTERM)
USUAL: dict[int, Any] = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
"""What stands where the program has not said anything: main is cancelled, as by `asyncio.run`."""

Refuse = Callable[[str], NoReturn]


class StopSignals:
    """What the program of one run does with them."""

    def __init__(self) -> None:
        self._handlers: dict[int, tuple[Any, str]] = {}

    @property
    def listens(self) -> bool:
        """Whether it has said anything."""
        return bool(self._handlers)

    def first(self) -> tuple[int, Any, str]:
        """The signal of which it said something first, the handler, and on whose behalf."""
        number = next(iter(self._handlers))
        return number, *self._handlers[number]

    def handler(self, number: int) -> Any:
        """As `signal.getsignal`."""
        return self._handlers[number][0] if number in self._handlers else USUAL[number]

    def set(self, number: int, handler: Any, owner: str) -> Any:
        """As `signal.signal`: it is this handler from now on. Returns that of before."""
        before = self.handler(number)
        self._handlers.pop(number, None)
        if handler not in (signal.SIG_DFL, signal.default_int_handler):
            self._handlers[number] = handler, owner
        return before


def swap_signals(swaps: Swaps, entering: Entering, refuse: Refuse) -> None:
    module = import_module("_signal")

    def listen(_real: Any, run: Surrounded, number: int, handler: Any) -> Any:
        if number not in STOPS:
            refuse("signal.signal")
        return run.signals.set(number, handler, run.owner)

    def ask(real: Any, run: Surrounded, number: int) -> Any:
        return run.signals.handler(number) if number in STOPS else real(number)

    def tell(_real: Any, run: Surrounded, number: int) -> None:
        if number not in STOPS:
            refuse("signal.raise_signal")
        handler = run.signals.handler(number)
        if handler is USUAL[number]:
            run.stop()
        elif callable(handler):
            handler(number, None)

    swaps.built_in(module.signal, entering.chooses(listen))
    swaps.built_in(module.getsignal, entering.chooses(ask))
    swaps.built_in(module.raise_signal, entering.chooses(tell))
