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
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from sim.live.entering import Entering, Surrounded
from sim.live.in_place import Swaps

BY_ADDRESS = (
    ("asyncio.tasks", "_GatheringFuture"),
    ("anyio._backends._asyncio", "CancelScope"),
    ("concurrent.futures._base", "Future"),
    ("threading", "Thread"),
)
"""Module and class of what hashes by its address."""


class Orders:
    """All of them, while they are swapped."""

    def __init__(self, swaps: Swaps, entering: Entering) -> None:
        self._swaps, self._entering = swaps, entering
        swaps.code(asyncio.as_completed, entering.chooses(_as_completed))  # type: ignore[arg-type]
        for module in {module: None for module, _ in BY_ADDRESS if module in sys.modules}:
            self.loaded(sys.modules[module])
        self._finder = _Finder(self)
        sys.meta_path.insert(0, self._finder)

    def loaded(self, module: ModuleType) -> None:
        """Swap what stands in this module."""
        for name in [name for known, name in BY_ADDRESS if known == module.__name__]:
            self._swaps.attribute(getattr(module, name), "__hash__", self._entering.chooses(_number))

    def undo(self) -> None:
        """Modules that are loaded from here on stay as they are."""
        sys.meta_path.remove(self._finder)


class _Finder:
    """Finds the modules of the table as others do, and says when they are loaded: which may be in the midst of a run."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if not any(name == module for module, _ in BY_ADDRESS):
            return None
        others = [finder for finder in sys.meta_path if finder is not self]
        spec = next(filter(None, (finder.find_spec(name, path, target) for finder in others)), None)
        loader: Any = spec.loader if spec is not None else None
        if loader is not None:
            load = loader.exec_module

            def load_and_tell(module: ModuleType) -> None:
                load(module)
                self._orders.loaded(module)

            loader.exec_module = load_and_tell
        return spec


class Numbers:
    """Of things, in one run: by when each was first asked for. Those from before it are numbered anew."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[weakref.ref[Any], int]] = {}
        self._count = 0

    def of(self, thing: Any) -> int:
        """The number of this thing, while it is there."""
        at = id(thing)
        if at not in self._known:
            self._count += 1
            self._known[at] = weakref.ref(thing, lambda _: self._known.pop(at)), self._count
        return self._known[at][1]


def _number(_real: Any, run: Surrounded, thing: Any) -> int:
    return run.numbers.of(thing)


def _as_completed(real: Any, _run: Surrounded, these: Any, **rest: Any) -> Any:
    """It makes a set of coroutines, and tasks of them in its order."""
    if asyncio.isfuture(these) or asyncio.iscoroutine(these) or not isinstance(these, Iterable):
        return real(these, **rest)  # it says what is wrong
    return real(map(asyncio.ensure_future, dict.fromkeys(these)), **rest)
