"""What a reduced compiled walk has besides a usual one: images, and room to turn states in."""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.checker.compiled import reduced
from sim.checker.compiled.arrays import Array, Mirror
from sim.checker.compiled.layout import Rows, Store
from sim.checker.compiled.turning import FIRST_LEVEL
from sim.checker.compiled.turns import Turning
from sim.checker.reduction.reduction import Reduction


class Reducing:
    """The reduction of a plain walk, for its compiled rest."""

    def __init__(self, reduction: Reduction, mirror: Mirror) -> None:
        self._mirror = mirror
        self._turning = Turning(reduction, mirror)
        self._members = sum(map(len, reduction.images.classes))
        self._spare = self._room(0)

    def _room(self, width: int) -> tuple[Array, ...]:
        """Areas for states, colours, the choices of an arrangement (see `turning`), and one state more."""
        members = self._members + 1
        areas = np.zeros((FIRST_LEVEL + members) * width, np.int32)
        return areas, np.zeros(members, np.uint64), np.zeros((members, 3), np.int64), np.zeros(width, np.int32)

    def expand(
        self, rows: Rows, store: Store, settings: Array, registers: Array, small: tuple[Array, ...], size: int
    ) -> int:
        """A batch of the walk; why it ended."""
        width = len(small[1])
        if len(self._spare[0]) != (FIRST_LEVEL + self._members + 1) * width:
            self._spare = self._room(width)
        turns: Any = self._turning.arrays()
        return int(reduced.expand_reduced(rows, turns, store, settings, registers, small, self._spare, size))

    def learn_image(self, cells: list[int]) -> None:
        """Has the plain engine reduce a state."""
        self._turning.learn(self._mirror.state(cells))
