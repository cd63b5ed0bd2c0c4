"""The planted bugs in one table: those of this package, and the saboteurs of the consensus model."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass

from sim import System
from tests.saboteurs.consensus import SABOTEURS


@dataclass(frozen=True)
class Bug:
    """A planted bug in the smallest bounds that contain it.

    - `what`: what is wrong, in a sentence
    - `prop`: the property that the check says is violated
    - `planted`, `sound`: make the system with the bug, and its twin without
    - `target`: what to name on the command line; empty for a saboteur of the consensus model
    """

    name: str
    what: str
    prop: str
    planted: Callable[[], System]
    sound: Callable[[], System]
    target: str = ""


def of_module(module: str, prop: str) -> Bug:
    """The bug of a module of this package; the first line of its docstring names it and says what is wrong."""
    target = f"bench.bugs.{module}"
    made = importlib.import_module(target)
    name, _, what = (made.__doc__ or "").partition("\n")[0].partition(": ")
    return Bug(name, what, prop, made.system, lambda: made.system(planted=False), target)


OUTSIDE = (
    of_module("lost_update", "no addition is lost"),
    of_module("write_skew", "somebody is on call"),
    of_module("dirty_read", "nobody reads what is aborted"),
    of_module("aba", "what is taken is not on the stack"),
    of_module("stale_fill", "what is invalid is not held"),
    of_module("deadlock", "stuck"),
    of_module("livelock", "somebody gets through"),
    of_module("lost_wakeup", "stuck"),
    of_module("tie", "one at a time"),
    of_module("hasty_commit", "consistent"),
    of_module("half_quorum", "agreement"),
    of_module("broken_promise", "agreement"),
    of_module("counted_twice", "what is committed is kept by a majority"),
    of_module("forgotten_vote", "one leader in a term"),
    of_module("no_fencing", "one primary"),
    of_module("late_lease", "leases_in_order"),
    of_module("stale_read", "own writes are read"),
    of_module("no_key", "nothing is applied twice"),
    of_module("new_key", "one order is charged once"),
    of_module("redelivery", "exactly_once"),
    of_module("early_ack", "what is confirmed is kept"),
    of_module("pipeline", "the text is a beginning of ab"),
    of_module("saga", "no room for a cancelled trip"),
    of_module("late_tick", "it is sent in time"),
)

CONSENSUS = tuple(
    Bug(
        saboteur.name,
        (saboteur.fault.__doc__ or "").partition("\n")[0],
        saboteur.prop,
        saboteur.small,
        saboteur.bounds,
    )
    for saboteur in SABOTEURS
)

BUGS = (*OUTSIDE, *CONSENSUS)
