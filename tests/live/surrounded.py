"""A run that does nothing but be entered, and names bound at import, as programs bind them."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from random import choice, getrandbits, random, randrange
from time import monotonic, monotonic_ns, time
from typing import Any
from uuid import uuid1, uuid4

from sim.live.dice import Dice
from sim.live.left_open import LeftOpen
from sim.live.surroundings import surroundings
from sim.live.threads.databases import Databases


class NoThreads:
    """A run without any."""

    current = None
    refused = staticmethod(surroundings.refuse)
    databases = Databases()


@dataclass
class Nothing:
    """A run at a virtual second."""

    at_s: float = 1.25
    seed: int = 1
    folder: str | os.PathLike[str] | None = None
    dice: Dice = field(init=False)
    threads: NoThreads = field(default_factory=NoThreads)
    left_open: LeftOpen = field(default_factory=LeftOpen)
    owner: str = "main"

    def __post_init__(self) -> None:
        self.dice = Dice(self.seed)

    def now_s(self) -> float:
        return self.at_s


@contextmanager
def entered(run: Any) -> Iterator[None]:
    with surroundings.installed():
        surroundings.refused = None
        surroundings.enter(run)
        try:
            yield
        finally:
            surroundings.leave()


def in_run(call: Callable[[], Any], **run: Any) -> Any:
    """What a call says in a run."""
    with entered(Nothing(**run)):
        return call()


def of_defaults(clock: Callable[[], float] = monotonic) -> float:
    return clock()


class Held:
    clock = time
    made = functools.partial(datetime.now, None)


BOUND: dict[str, Callable[[], Any]] = {
    "time": time,
    "monotonic": monotonic,
    "monotonic_ns": monotonic_ns,
    "now": datetime.now,
    "today": date.today,
    "a default": of_defaults,
    "an attribute of a class": lambda: Held.clock(),
    "a partial": Held.made,
}
"""Clocks as they were bound when this module was imported."""
DRAWN: dict[str, Callable[[], Any]] = {
    "random": random,
    "getrandbits": lambda: getrandbits(64),
    "choice": lambda: choice(range(10**9)),
    "randrange": lambda: randrange(10**9),
    "uuid1": uuid1,
    "uuid4": uuid4,
    "urandom": functools.partial(os.urandom, 9),
}
"""Dice as they were bound then."""
