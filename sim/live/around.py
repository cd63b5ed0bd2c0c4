"""What is around the walks of a program: clocks, dice and sockets that can be a run's, and no garbage collected inside of one.

All of it is swapped once for many runs, and as it was when the last walk is over.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from sim.live import emitting
from sim.live.garbage import Garbage
from sim.live.net.kernel import Kernel
from sim.live.net.patches import installed
from sim.live.surroundings import surroundings


def current_kernel() -> Kernel | None:
    """The kernel whose sockets are those of this thread."""
    run = emitting.active
    return run.kernel if run is not None and surroundings.is_inside() else None


class Around:
    """One for a process: `around`, below."""

    def __init__(self) -> None:
        self._depth = 0
        self._garbage = Garbage()

    @contextmanager
    def walks(self) -> Iterator[None]:
        """While programs are walked. Inside of another it does nothing."""
        self._depth += 1
        try:
            with ExitStack() as all_of_it:
                if self._depth == 1:
                    all_of_it.enter_context(surroundings.installed())
                    all_of_it.enter_context(installed(current_kernel))
                    all_of_it.enter_context(self._garbage)
                yield
        finally:
            self._depth -= 1

    def between_runs(self) -> None:
        """One execution is over, the next has not begun."""
        if self._depth:
            self._garbage.between_runs()


around = Around()
