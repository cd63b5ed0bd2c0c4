"""The dice of a run: everything that is drawn in it follows from its seed, in every process.

Bytes (and with them `secrets`, `SystemRandom` and `uuid4`) and the seeds of what is made without one come from splitmix64, as
everything that a strategy draws. What the functions of the module `random` make of numbers is the standard library's: the
same for a seed on one version of Python, and by its promise not on all.
"""

from __future__ import annotations

import random
import tempfile
import uuid
from types import FunctionType
from typing import Any

from sim.base.mixer import MASK, derive, stream


class Dice:
    def __init__(self, seed: int) -> None:
        self._bytes, self._seeds, self._module = (derive(seed, what) for what in ("bytes", "seeds", "module"))
        self._drawn = self._seeded = 0
        self._generator: random.Random | None = None
        self._identifiers: dict[str, Any] | None = None
        self._names: Any = None

    @property
    def generator(self) -> random.Random:
        """What stands for the hidden generator of the module `random`; made when it is first asked for."""
        if self._generator is None:
            self._generator = random.Random(self._module)  # noqa: S311
        return self._generator

    def take_bytes(self, count: int) -> bytes:
        """The next bytes, as of `os.urandom`."""
        words = (count + 7) // 8
        first, self._drawn = self._drawn, self._drawn + words
        return b"".join(stream(self._bytes, at).to_bytes(8, "little") for at in range(first, first + words))[:count]

    def take_seed(self) -> int:
        """For a generator that the program makes without a seed."""
        self._seeded += 1
        return stream(self._seeds, self._seeded - 1)

    def node(self) -> int:
        """The hardware address of the machine, in UUIDs: one that no card has."""
        return stream(self._seeds, MASK >> 1) & (1 << 48) - 1 | 1 << 40

    def names(self) -> Any:
        """Where `tempfile` takes names from: it keeps its generator, so a run has one of its own, seeded as all are in it."""
        if self._names is None:
            self._names = tempfile._RandomNameSequence()  # type: ignore[attr-defined]
        return self._names

    def identify(self, make: FunctionType, *args: Any, **kwargs: Any) -> Any:
        """What a function of `uuid` makes of the time. It remembers the last time in the globals of its module: a run has
        globals of its own, or it would hear of the real time, and of the runs before."""
        if self._identifiers is None:
            none = [name for name in vars(uuid) if name.startswith("_last_")] + ["_generate_time_safe", "_UuidCreate"]
            self._identifiers = {**vars(uuid), **dict.fromkeys(none)}
        own = FunctionType(make.__code__, self._identifiers, make.__name__, make.__defaults__, make.__closure__)
        return own(*args, **kwargs)
