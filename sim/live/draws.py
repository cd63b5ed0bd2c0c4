"""Where a program draws: `random`, `secrets`, `os.urandom` and `uuid` give what the dice of the run give.

`secrets`, `random.SystemRandom` and `uuid.uuid4` all ask `os.urandom`, and so does `numpy.random.default_rng()`. A
`random.Random()` made in a run is seeded by the run; one with a seed is the program's own. A generator made before the run
(`rng = random.Random()` in a module, `numpy.random`'s global one) goes on from run to run: make it in the run, or give it a
seed there. A module that draws when it is imported does so in the first run that imports it: import it before.
"""

from __future__ import annotations

import os
import random
import tempfile
import uuid
from types import MethodType
from typing import Any

from sim.live.entering import Entering, Surrounded
from sim.live.in_place import Swaps

IDENTIFIERS = ("uuid1", "uuid6", "uuid7")
"""Functions of `uuid` that ask for the time; not every Python has them all."""


def hidden_methods() -> dict[str, Any]:
    """The functions of `random` that are methods of its hidden generator."""
    hidden = random._inst
    return {name: thing for name, thing in vars(random).items() if getattr(thing, "__self__", None) is hidden}


def swap_dice(swaps: Swaps, entering: Entering) -> None:
    for name, method in hidden_methods().items():
        swap = swaps.method if isinstance(method, MethodType) else swaps.built_in
        swap(method, entering.chooses(_drawn(name)))
    swaps.attribute(random.Random, "seed", entering.chooses(_seed))
    swaps.built_in(os.urandom, entering.chooses(_bytes))
    if hasattr(os, "getrandom"):
        swaps.built_in(os.getrandom, entering.chooses(_bytes))
    for name in IDENTIFIERS:
        if hasattr(uuid, name):
            swaps.code(getattr(uuid, name), entering.chooses(_identifier))
    names = vars(tempfile)["_get_candidate_names"]
    swaps.code(names, entering.chooses(lambda _real, run: run.dice.names()))
    swaps.code(uuid.getnode, entering.chooses(lambda _real, run: run.dice.node()))  # type: ignore[arg-type]


def _drawn(name: str) -> Any:
    return lambda _real, run, *args, **kwargs: getattr(run.dice.generator, name)(*args, **kwargs)


def _seed(real: Any, run: Surrounded, generator: random.Random, a: Any = None, version: int = 2) -> None:
    real(generator, run.dice.take_seed() if a is None else a, version)


def _bytes(real: Any, run: Surrounded, size: int, _flags: int = 0) -> bytes:
    if size < 0:
        return bytes(real(size))  # it says what is wrong
    return run.dice.take_bytes(size)


def _identifier(real: Any, run: Surrounded, *args: Any, **kwargs: Any) -> Any:
    return run.dice.identify(real, *args, **kwargs)
