"""Orders that the standard library leaves to addresses in memory, which differ from run to run: here they are those in which
things were given or made."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from sim.live.entering import Entering, Surrounded
from sim.live.in_place import Swaps


def swap_orders(swaps: Swaps, entering: Entering) -> None:
    swaps.code(asyncio.as_completed, entering.chooses(_as_completed))  # type: ignore[arg-type]
    gathering = vars(asyncio.tasks)["_GatheringFuture"]
    swaps.attribute(gathering, "__hash__", entering.chooses(lambda _real, run, future: _number(run, future)))


def _as_completed(real: Any, _run: Surrounded, these: Any, **rest: Any) -> Any:
    """It makes a set of coroutines, and tasks of them in its order."""
    if asyncio.isfuture(these) or asyncio.iscoroutine(these) or not isinstance(these, Iterable):
        return real(these, **rest)  # it says what is wrong
    return real(map(asyncio.ensure_future, dict.fromkeys(these)), **rest)


def _number(run: Surrounded, future: Any) -> int:
    """Of the future of `asyncio.gather`: by when it was first asked for."""
    if not hasattr(future, "number"):
        future.number = run.count()
    return int(future.number)
