"""The shapes of races in one table, and what is found of each."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass

from sim import Program


@dataclass(frozen=True)
class Race:
    """A shape of race.

    - `what`: what goes wrong, in a sentence
    - `prop`: the property that the fuzz says is violated
    - `racy`, `mended`: make the program with the race, and its twin without
    - `target`: what to name on the command line
    """

    name: str
    what: str
    prop: str
    racy: Callable[[], Program]
    mended: Callable[[], Program]
    target: str


def of_module(module: str, prop: str) -> Race:
    """The race of a module of this package; the first line of its docstring names it and says what goes wrong."""
    target = f"bench.races.{module}"
    made = importlib.import_module(target)
    name, _, what = (made.__doc__ or "").partition("\n")[0].partition(": ")
    return Race(name, what, prop, made.system, lambda: made.system(mended=True), target)


RACES = (
    of_module("reply", "own_answer"),
    of_module("reply_stream", "own_answer"),
    of_module("swallow", "stops_when_told"),
    of_module("notify", "deadlock"),
    of_module("item", "no item is lost"),
    of_module("slot", "no_leak"),
    of_module("wake", "deadlock"),
    of_module("token", "no token is granted twice"),
    of_module("stampede", "one at a time computes"),
    of_module("stop", "deadlock"),
    of_module("guardrail", "outlives"),
    of_module("session", "there is one session"),
    of_module("slow_reader", "all is read"),
    of_module("completion", "exception"),
    of_module("timeout", "deadlock"),
)
