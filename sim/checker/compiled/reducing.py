"""What a reduced compiled walk has besides a usual one: images, and room to turn states in."""

from __future__ import annotations

import numpy as np

from sim.checker.compiled.arrays import Array
from sim.checker.compiled.layout import Buffers, Rows, Spare, Store
from sim.checker.compiled.mirror import Mirror
from sim.checker.compiled.turns import Turning
from sim.checker.reduction.reduction import Reduction
from sim.native import walks

FIRST_LEVEL = 3
"""Areas before those of arrangements (see `turning.hpp`)."""


class Reducing:
    """The reduction of a plain walk, for its compiled rest."""

    def __init__(self, reduction: Reduction, mirror: Mirror) -> None:
        self._mirror = mirror
        self._turning = Turning(reduction, mirror)
        self._members = sum(map(len, reduction.images.classes))
        self._spare = self._room(0)

    def _room(self, width: int) -> Spare:
        members = self._members + 1
        areas = np.zeros((FIRST_LEVEL + members) * width, np.int32)
        return Spare(areas, np.zeros(members, np.uint64), np.zeros((members, 3), np.int64), np.zeros(width, np.int32))

    def expand(self, rows: Rows, store: Store, settings: Array, registers: Array, small: Buffers, size: int) -> int:
        """A batch of the walk; why it ended."""
        width = len(small.after)
        if len(self._spare.areas) != (FIRST_LEVEL + self._members + 1) * width:
            self._spare = self._room(width)
        turns = self._turning.arrays()
        return int(walks.expand_reduced(rows, turns, store, settings, registers, small, self._spare, size))

    def learn_image(self, cells: list[int]) -> None:
        """Has the plain engine reduce a state."""
        self._turning.learn(self._mirror.state(cells))
