"""Modules that are imported for the first time in the midst of a run are loaded outside of it, with the world's own clock, dice and
sockets: the second run finds them loaded, so the first has to go on as if it had as well.
"""

from __future__ import annotations

import importlib
from typing import Any

from sim.live.entering import Entering, Surrounded
from sim.live.in_place import Swaps

LOADING = "_find_and_load"
"""What Python calls for a module that is not there yet."""


def swap_imports(swaps: Swaps, entering: Entering) -> None:
    """Whoever imports is outside of the run until it is done."""

    def load(real: Any, _run: Surrounded, *args: Any) -> Any:
        here, entering.thread = entering.thread, 0
        try:
            return real(*args)
        finally:
            entering.thread = here

    swaps.attribute(vars(importlib)["_bootstrap"], LOADING, entering.chooses(load))
