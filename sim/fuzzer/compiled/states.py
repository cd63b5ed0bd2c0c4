"""The states that schedules have met, in arrays that grow, and are forgotten when they take too much room."""

from __future__ import annotations

import numpy as np

from sim.checker.compiled.arrays import Array
from sim.checker.compiled.mirror import Mirror
from sim.fuzzer.compiled.layout import (
    CELLS,
    COUNT,
    EDGE_WIDTH,
    EDGES,
    HEAD,
    HOLDS,
    SCHEDULES_BY,
    SEEN,
    STATES,
    STATUS,
    UNMET,
    VISITED,
    Known,
)
from sim.fuzzer.coverage import CoverageData
from sim.graph.state import State
from sim.native import walks


class Remembered:
    """States, their edges, and which schedules came by."""

    def __init__(self, mirror: Mirror, registers: Array) -> None:
        self._mirror = mirror
        self._registers = registers
        self._first = mirror.fixed
        self.taken: Array = np.zeros(64, np.uint8)
        self.forget()

    def forget(self) -> None:
        """Begins with nothing."""
        self._slots: Array = np.zeros(1 << 12, np.uint64)
        self._ids: Array = np.zeros(1 << 12, np.int32)
        self._cells: Array = np.zeros(1 << 14, np.int32)
        self._offsets: Array = np.zeros(1 << 10, np.int64)
        self._head: Array = _rows(1 << 10, HEAD)
        self._edges: Array = np.zeros((1 << 14, EDGE_WIDTH), np.int32)
        self._visited: Array = np.zeros(1 << 10, np.int32)
        self._prints: Array = np.zeros(1 << 10, np.uint64)
        self._printed = 0
        self._registers[[STATES, CELLS, EDGES, VISITED]] = 0
        self._registers[COUNT] = 1

    def arrays(self) -> Known:
        """The arrays as they are now."""
        actions = len(self._mirror.action_list)
        if actions > len(self.taken):
            self.taken = _larger(self.taken, 2 * actions)
        return Known(
            self._slots, self._ids, self._cells, self._offsets, self._head, self._edges, self._visited, self.taken
        )

    @property
    def bytes(self) -> int:
        """What all arrays take."""
        return sum(array.nbytes for array in self.arrays())

    def cells(self, number: int) -> list[int]:
        """The cells of a state."""
        found: list[int] = self._cells[self._offsets[number] : self._offsets[number + 1]].tolist()
        return found

    def add(self, state: State, status: int, held: int, opens: int) -> int:
        """Keeps a state, in which these properties hold or are unmet; the number it has from now on."""
        cells = np.array(self._mirror.cells(state), np.int32)
        number, used = int(self._registers[STATES]), int(self._registers[CELLS])
        self.grow(len(cells))
        walks.admit(self._slots, self._ids, number, cells, self._first, self._mirror.order)
        self._cells[used : used + len(cells)] = cells
        self._offsets[number + 1] = used + len(cells)
        self._head[number] = 0
        self._head[number, [STATUS, HOLDS, UNMET]] = status, held, opens
        self._registers[STATES], self._registers[CELLS] = number + 1, used + len(cells)
        return number

    def grow(self, cells: int) -> None:
        """Makes room for a state of so many cells, and for its edges."""
        states, used = int(self._registers[STATES]), int(self._registers[CELLS])
        if 2 * (states + 2) > len(self._slots):
            slots, ids = np.zeros(2 * len(self._slots), np.uint64), np.zeros(2 * len(self._slots), np.int32)
            walks.widen(self._slots, self._ids, slots, ids)
            self._slots, self._ids = slots, ids
        if states + 2 > len(self._offsets) - 1:
            size = 2 * len(self._offsets)
            larger = _rows(size, HEAD)
            larger[: len(self._head)] = self._head
            self._offsets, self._head, self._visited = (
                _larger(self._offsets, size),
                larger,
                _larger(self._visited, size),
            )
        if used + cells > len(self._cells):
            self._cells = _larger(self._cells, 2 * len(self._cells) + cells)
        if 2 * int(self._registers[EDGES]) > len(self._edges):
            self._edges = _larger(self._edges, 2 * len(self._edges))

    # --- what was covered ---------------------------------------------------------------------------

    def covered(self, held: tuple[str, ...], round_: int) -> CoverageData:
        """What schedules covered since the last time, as every process would say it; one that is under way has not
        come by anywhere. Counting begins anew."""
        came_by = self._visited[: self._registers[VISITED]]
        head = self._head[came_by]
        schedules = head[:, SCHEDULES_BY] - (head[:, SEEN] == self._registers[COUNT])
        visited, visits = schedules > 0, int(schedules.sum())
        prints, once = self._all_prints()[came_by[visited]], (schedules == 1)[visited].astype(np.uint8)
        ascending = np.argsort(prints)
        actions = self._mirror.action_list
        taken = [actions[i] for i in np.flatnonzero(self.taken[: len(actions)])]
        rows = {action.covers: None for action in taken if action.covers is not None}
        self.taken[:] = 0
        head[:, [SEEN, SCHEDULES_BY]] = 0
        self._head[came_by] = head
        self._registers[COUNT], self._registers[VISITED] = 1, 0
        return CoverageData(
            prints[ascending].tobytes(), once[ascending].tobytes(), visits, tuple(rows), held, round=round_
        )

    def _all_prints(self) -> Array:
        """The fingerprints of the states, as every process would make them; each is made once."""
        states = int(self._registers[STATES])
        if states > self._printed:
            if states > len(self._prints):
                self._prints = _larger(self._prints, 2 * states)
            tables = self._mirror.graph.tables
            keys = [np.array(things.keys or [0], np.uint64) for things in (tables.locals, tables.envelopes)]
            offsets, fresh = self._offsets[self._printed :], self._prints[self._printed : states]
            walks.fingerprints(*keys, self._mirror.order, self._cells, offsets, self._mirror.locals, self._first, fresh)
            self._printed = states
        return self._prints[:states]


def _larger(array: Array, size: int) -> Array:
    larger = np.zeros((size, *array.shape[1:]), array.dtype)
    larger[: len(array)] = array
    return larger


def _rows(count: int, width: int) -> Array:
    """Rows of a whole number of lines of the processor's cache, each of which begins with one."""
    room = np.zeros(count * width + LINE // 8, np.int64)
    begin = -room.ctypes.data % LINE // 8
    return room[begin : begin + count * width].reshape(count, width)


LINE = 64
"""Bytes."""
