"""A loop that is led step by step: whoever leads it says what arrives, and when."""

from __future__ import annotations

import asyncio
import gc
import warnings
from asyncio import events
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from sim.live.net import Incoming, Kernel, NetworkLoop

STEPS_MAX = 20_000
Choose = Callable[[Sequence[Incoming]], tuple[Incoming, str]]


class Owner:
    """Who is running: the name of the task, until somebody says otherwise."""

    def __call__(self) -> str:
        task = asyncio.current_task() if events._get_running_loop() else None
        return task.get_name() if task is not None else "main"


class SteppedLoop(NetworkLoop):
    now_s = 0.0

    def time(self) -> float:
        return self.now_s

    def busy(self) -> bool:
        return bool(self._ready) or self.kernel.selector.pending()  # type: ignore[attr-defined]


def first(arrivals: Sequence[Incoming]) -> tuple[Incoming, str]:
    return arrivals[0], ""


class Stepped:
    """A program over a kernel. `until` takes it on; between, whatever is needed may be done to `kernel`."""

    def __init__(self, main: Callable[[], Coroutine[Any, Any, Any]], kernel: Kernel | None = None) -> None:
        self.kernel = kernel or Kernel(Owner())
        self.trace: list[str] = []
        with self.kernel.patched():
            self.loop = SteppedLoop(self.kernel)
            self.loop.set_exception_handler(lambda *_: None)
            self.main = self.loop.create_task(main(), name="main")

    def until(self, stop: Callable[[], Any] | None = None, choose: Choose = first, early: bool = False) -> Any:
        """Lead it until `stop` holds, or to the end of main. `early`: whatever can arrive does so before a turn."""
        before = events._get_running_loop()
        events._set_running_loop(self.loop)
        try:
            with self.kernel.patched():
                for _ in range(STEPS_MAX):
                    if (stop or self.main.done)():
                        return self.main.result() if stop is None else None
                    self._step(choose, early)
        finally:
            events._set_running_loop(before)
        raise RuntimeError("the program hangs")

    def turns(self, number: int) -> None:
        """So many turns, and nothing arrives."""
        left = [number]

        def stop() -> bool:
            left[0] -= 1
            return left[0] < 0

        held, self.kernel.arrivals = self.kernel.arrivals, lambda: ()  # type: ignore[method-assign]
        try:
            self.until(stop)
        finally:
            self.kernel.arrivals = held  # type: ignore[method-assign]

    def _step(self, choose: Choose, early: bool) -> None:
        busy = self.loop.busy()
        arrivals = self.kernel.arrivals()
        if arrivals and (early or not busy):
            arrival, how = choose(arrivals)
            self.trace.append(f"{arrival} {how}")
            self.kernel.arrive(arrival, how)
        elif not busy and self.loop._scheduled:  # type: ignore[attr-defined]
            self.loop.now_s = max(self.loop.now_s, self.loop._scheduled[0]._when)  # type: ignore[attr-defined]
            self.loop._run_once()  # type: ignore[attr-defined]
        elif busy:
            self.loop._run_once()  # type: ignore[attr-defined]
        else:
            raise RuntimeError("nothing can happen any more")

    def close(self) -> None:
        """Leave it, wherever it stands."""
        loop = self.loop
        with self.kernel.patched(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for transport in list(loop._transports.values()):  # type: ignore[attr-defined]
                transport.abort()
            for task in asyncio.all_tasks(loop):
                task.cancel()
            for _ in range(5):
                loop.run_until_complete(asyncio.sleep(0))
            loop.close()
            self.kernel.close()
            del self.loop, self.main, loop
            gc.collect()
