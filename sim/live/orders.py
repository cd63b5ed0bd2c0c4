"""Orders that Python leaves to addresses in memory, which differ from run to run: here they are those in which things were given
or made.

Such is the order of a set of objects that hash by where they are. Tasks, futures and sockets of a run have numbers instead;
here stand classes of others who keep them in sets, and go through these.
"""

from __future__ import annotations

import asyncio
import sys
import weakref
from collections.abc import Iterable
from importlib import import_module
from typing import Any

from sim.live.entering import Entering, Surrounded
from sim.live.in_place import Swaps

BY_ADDRESS = (
    ("asyncio.tasks", "_GatheringFuture"),
    ("anyio._backends._asyncio", "CancelScope"),
)
"""Module and class of what hashes by its address."""


class Orders:
    """All of them, while they are swapped."""

    def __init__(self, swaps: Swaps, entering: Entering) -> None:
        self._swaps, self._entering = swaps, entering
        self._missing = [*BY_ADDRESS]
        swaps.code(asyncio.as_completed, entering.chooses(_as_completed))  # type: ignore[arg-type]
        self.look()

    def look(self) -> None:
        """Swap those of packages that were loaded meanwhile."""
        loaded = [one for one in self._missing if one[0].partition(".")[0] in sys.modules]
        for module, name in loaded:
            self._missing.remove((module, name))
            numbers = _Numbers()
            kind = getattr(import_module(module), name)
            self._swaps.attribute(kind, "__hash__", self._entering.chooses(numbers.hash_of))


class _Numbers:
    """Numbers of things: by when each was first asked for."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[weakref.ref[Any], int]] = {}

    def hash_of(self, _real: Any, run: Surrounded, thing: Any) -> int:
        at = id(thing)
        if at not in self._known:
            self._known[at] = weakref.ref(thing, lambda _: self._known.pop(at)), run.count()
        return self._known[at][1]


def _as_completed(real: Any, _run: Surrounded, these: Any, **rest: Any) -> Any:
    """It makes a set of coroutines, and tasks of them in its order."""
    if asyncio.isfuture(these) or asyncio.iscoroutine(these) or not isinstance(these, Iterable):
        return real(these, **rest)  # it says what is wrong
    return real(map(asyncio.ensure_future, dict.fromkeys(these)), **rest)
