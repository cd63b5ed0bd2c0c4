"""One program on a stock loop over real sockets, and on one over a kernel where everything arrives at once."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from sim.live.net import Kernel, NetworkLoop
from tests.live.net.programs import Program

TURNS_MAX = 2_000
"""A program that takes more hangs."""


class Watched:
    """A loop that notes what is ready at the beginning of each turn, after the poll."""

    turns: int

    def __init__(self, *args: Any) -> None:
        self.turns, self.told = 0, []
        super().__init__(*args)

    def _process_events(self, event_list: Any) -> None:
        super()._process_events(event_list)  # type: ignore[misc]
        self.turns += 1
        if self.turns > TURNS_MAX:
            raise RuntimeError("the program hangs")
        self.told.append(("turn", *map(_called, self._ready)))  # type: ignore[attr-defined]


def _called(handle: Any) -> str:
    callback = handle._callback
    owner = getattr(callback, "__self__", None)
    name = getattr(callback, "__qualname__", None) or type(callback).__name__
    if isinstance(owner, asyncio.Task):
        return f"{name} of {_bare(owner.get_coro().__qualname__)}"
    return _bare(name)


def _bare(name: str) -> str:
    """The name without the class of a loop."""
    return name.removeprefix("NetworkLoop.").removeprefix("BaseEventLoop.").removeprefix("Base")


class RealLoop(Watched, asyncio.SelectorEventLoop):
    pass


class SimulatedLoop(Watched, NetworkLoop):
    pass


def really(program: Program, folder: Path) -> list[Any]:
    return _run(RealLoop(), program, folder)


def simulated(program: Program, folder: Path, kernel: Kernel | None = None) -> list[Any]:
    kernel = kernel or Kernel(lambda: "main", at_once=True)
    with kernel.patched():
        return _run(SimulatedLoop(kernel), program, folder)


def _run(loop: Any, program: Program, folder: Path) -> list[Any]:
    try:
        loop.run_until_complete(program(lambda *said: loop.told.append(repr(said)), folder))
    finally:
        loop.close()
    return list(loop.told)


def first_difference(one: list[Any], other: list[Any]) -> str:
    """Two aligned lines and what came before, or nothing."""
    for index in range(max(len(one), len(other))):
        mine, theirs = (list(said[index : index + 1]) for said in (one, other))
        if mine != theirs:
            before = "\n".join(map(str, one[max(0, index - 12) : index]))
            return f"{before}\nreal:      {mine}\nsimulated: {theirs}"
    return ""
