"""The surroundings of a run: its clock, its dice, and what is refused in it.

Everything is swapped once, around all runs (`installed`), and asks at each call whether a run is entered: to enter and leave
one, at every turn of its loop, is two assignments, and whatever is raised in between leaves nothing behind. The state of the
real generators is not touched: a run draws from its own. Other threads have the real clock and may do what they like.
"""

from __future__ import annotations

import sys
from _thread import get_ident
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from sim.base.errors import RefusedError
from sim.live.clocks import swap_clocks
from sim.live.draws import swap_dice
from sim.live.entering import Entering, Surrounded
from sim.live.in_place import Swaps
from sim.live.refusals import FUNCTIONS, judge, refusal, told


class Surroundings:
    """One for a process: `surroundings`, below."""

    def __init__(self) -> None:
        self._entering = Entering()
        self._swaps = Swaps()
        self._depth = 0
        self._hooked = False
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
                self._swaps.undo()

    def enter(self, run: Surrounded) -> None:
        """From here on this thread is in the run."""
        if self._entering.run is not None or not self._depth:
            raise RuntimeError("a run is entered already" if self._depth else "the surroundings are not installed")
        self._entering.thread = get_ident()
        self._entering.run = run

    def leave(self) -> None:
        """Back in the real world; it may be called where no run is entered."""
        self._entering.run = None

    def _install(self) -> None:
        swap_clocks(self._swaps, self._entering)
        swap_dice(self._swaps, self._entering)
        for name, functions, why in FUNCTIONS:
            module = import_module(name) if find_spec(name) else None
            for function in functions:
                if hasattr(module, function):
                    refusing = self._refusing(f"{name.lstrip('_')}.{function}", why)
                    self._swaps.built_in(getattr(module, function), self._entering.chooses(refusing))
        if not self._hooked:
            self._hooked = True
            sys.addaudithook(self._hook())

    def _refusing(self, what: str, why: str) -> Any:
        def refuse(_real: Any, _run: Surrounded, *_args: Any, **_kwargs: Any) -> None:
            raise self._remember(refusal(what, why))

        return refuse

    def refuse(self, line: str) -> RefusedError:
        """The error that says in one line what has no place in a run; it is remembered."""
        return self._remember(told(line))

    def _remember(self, refused: RefusedError) -> RefusedError:
        if self.refused is None:
            self.refused = refused
        return refused

    def _hook(self) -> Any:
        entering = self._entering

        def hook(event: str, args: tuple[Any, ...]) -> None:
            if entering.run is None:
                return
            run = entering.entered()
            if run is not None:
                refused = judge(run, event, args)
                if refused is not None:
                    raise self._remember(refused)

        return hook


surroundings = Surroundings()
