"""Arrays that grow: columns, tables from keys to numbers, decision trees in such a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from sim.checker.compiled.layout import SURROUNDINGS_ROOT
from sim.native import walks

Array = npt.NDArray[Any]

Changed = dict["Column | Keys", None]


class Growing:
    """Columns and keys that grow together, and which of them have additions that are not in their arrays yet."""

    def __init__(self) -> None:
        self._changed: Changed = {}

    def column(self, width: int = 0, dtype: Any = np.int32) -> Column:
        return Column(self._changed, width, dtype)

    def keys(self) -> Keys:
        return Keys(self._changed)

    def moved(self) -> bool:
        """Puts all additions into the arrays; whether any of these is another one since this was asked last. Most have room
        for them."""
        moved = [one.moves() for one in self._changed]
        self._changed.clear()
        return any(moved)


class Column:
    """An array that grows at its end. What is added waits in a list until the array is asked for: one
    conversion for many small additions."""

    def __init__(self, changed: Changed, width: int = 0, dtype: Any = np.int32) -> None:
        self._array: Array = np.zeros((64, width) if width else 64, dtype)
        self._changed = changed
        self._filled = 0
        self._waiting: list[Any] = []
        self.size = 0

    def extend(self, items: Sequence[Any]) -> tuple[int, int]:
        """Appends; the range that was filled."""
        self._changed[self] = None
        begin = self.size
        self._waiting += items
        self.size = begin + len(items)
        return begin, self.size

    def moves(self) -> bool:
        """Takes over what waits; whether there is another array now."""
        before = self._array
        return self.array is not before

    @property
    def array(self) -> Array:
        """All that was added, and some room."""
        if self._waiting:
            if self.size > len(self._array):
                larger = np.zeros((2 * self.size, *self._array.shape[1:]), self._array.dtype)
                larger[: self._filled] = self._array[: self._filled]
                self._array = larger
            self._array[self._filled : self.size] = np.array(self._waiting, self._array.dtype)
            self._filled = self.size
            self._waiting.clear()
        return self._array


class Keys:
    """A table from 64-bit keys to small integers, that grows; it takes additions as a column does."""

    def __init__(self, changed: Changed) -> None:
        self._keys: Array = np.zeros(1024, np.uint64)
        self._values: Array = np.zeros(1024, np.int32)
        self._changed = changed
        self._waiting: dict[int, int] = {}
        self.size = 0

    def add(self, key: int, value: int) -> None:
        """Adds a key that is not there."""
        self._changed[self] = None
        self._waiting[key] = value
        self.size += 1

    def moves(self) -> bool:
        """Takes over what waits; whether there are other arrays now."""
        before = self._keys
        return self.arrays()[0] is not before

    def arrays(self) -> tuple[Array, Array]:
        """Keys and values, by open addressing."""
        if self._waiting:
            if 2 * self.size > len(self._keys):
                size = 1 << (4 * self.size - 1).bit_length()
                keys, values = np.zeros(size, np.uint64), np.zeros(size, np.int32)
                walks.put_all(keys, values, self._keys, self._values)
                self._keys, self._values = keys, values
            keys = np.array(list(self._waiting), np.uint64)
            walks.put_all(self._keys, self._values, keys, np.array(list(self._waiting.values()), np.int32))
            self._waiting.clear()
        return self._keys, self._values


class Trees:
    """Decision trees over cells, all in one table: (node, cell) -> node or answer."""

    def __init__(self, table: Keys) -> None:
        self.table = table
        self._known: dict[int, int] = {}
        self._nodes = SURROUNDINGS_ROOT

    def root(self) -> int:
        self._nodes += 1
        return self._nodes

    def add(self, root: int, cells: list[int], answer: int) -> None:
        """Makes `answer` what a walk from `root` along `cells` comes to."""
        node, last = root, len(cells) - 1
        for i, cell in enumerate(cells):
            key = node << 32 | cell
            known = self._known.get(key)
            if known is None:
                known = self._known[key] = answer if i == last else self.root()
                self.table.add(key, known)
            node = known
