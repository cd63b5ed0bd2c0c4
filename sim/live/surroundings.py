"""The surroundings of a run: its clock, its dice, and what is refused in it.

Everything is swapped once, around all runs (`installed`), and asks at each call whether a run is entered: to enter and leave
one, at every turn of its loop, is two assignments, and whatever is raised in between leaves nothing behind. The state of the
real generators is not touched: a run draws from its own. Other threads have the real clock and may do what they like.
"""

from __future__ import annotations

from _thread import get_ident
from collections.abc import Iterator
from contextlib import contextmanager

from sim.base.errors import RefusedError
from sim.live.certificates import swap_certificates
from sim.live.clocks import swap_clocks
from sim.live.draws import swap_dice
from sim.live.entering import Entering, Surrounded
from sim.live.imports import swap_imports
from sim.live.in_place import Swaps
from sim.live.orders import Orders
from sim.live.processes.kills import swap_kills
from sim.live.refusals import swap_refusals, told
from sim.live.threads.blocking import swap_blocking
from sim.live.threads.databases import swap_databases


class Surroundings:
    """One for a process: `surroundings`, below."""

    def __init__(self) -> None:
        self._entering = Entering()
        self._swaps = Swaps()
        self._depth = 0
        self._orders: Orders | None = None
        self.refused: RefusedError | None = None
        """What was refused first, also where the program took the exception; whoever has read it sets it to None."""

    @contextmanager
    def installed(self) -> Iterator[None]:
        """While runs may be entered. Inside of another it does nothing."""
        self._depth += 1
        try:
            if self._depth == 1:
                self._install()
            yield
        finally:
            self._depth -= 1
            if self._depth == 0:
                self._undo()

    def enter(self, run: Surrounded) -> None:
        """From here on this thread is in the run."""
        if self._entering.run is not None or not self._depth:
            raise RuntimeError("a run is entered already" if self._depth else "the surroundings are not installed")
        self._entering.thread = get_ident()
        self._entering.run = run

    def hand(self, thread: int) -> None:
        """From here on it is this thread that is in the run; 0: none is, for a moment."""
        self._entering.thread = thread

    def is_inside(self) -> bool:
        """Whether this thread is in the run."""
        return self._entering.run is not None and get_ident() == self._entering.thread

    def leave(self) -> None:
        """Back in the real world; it may be called where no run is entered."""
        self._entering.run = None

    @property
    def is_installed(self) -> bool:
        """Whether a run can be entered."""
        return self._depth > 0

    @property
    def entered(self) -> Surrounded | None:
        """The run that this thread is in."""
        return self._entering.run

    def _install(self) -> None:
        swap_clocks(self._swaps, self._entering)
        swap_dice(self._swaps, self._entering)
        self._orders = Orders(self._swaps, self._entering)
        swap_imports(self._swaps, self._entering)
        swap_blocking(self._swaps, self._entering)
        swap_databases(self._swaps, self._entering)
        swap_certificates(self._swaps, self._entering)
        swap_refusals(self._swaps, self._entering, self._remember)
        swap_kills(self._swaps, self._entering)

    def _undo(self) -> None:
        self._swaps.undo()
        if self._orders is not None:
            self._orders.undo()
            self._orders = None

    def refuse(self, line: str, *, is_here: bool = True) -> RefusedError:
        """The error that says in one line what has no place in a run, and where if that `is_here`; it is remembered while one
        is entered."""
        refused = told(line) if is_here else RefusedError(line)
        self._remember(refused)
        return refused

    def _remember(self, refused: RefusedError) -> None:
        if self.refused is None and self.entered is not None:
            self.refused = refused


surroundings = Surroundings()
