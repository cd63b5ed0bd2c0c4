"""The states that a compiled walk has met, in arrays that grow."""

from __future__ import annotations

import numpy as np

from sim.checker.compiled import layout
from sim.checker.compiled.arrays import Array
from sim.checker.compiled.layout import STATES_MAX, Store
from sim.checker.compiled.mirror import Mirror
from sim.checker.explored import Edges
from sim.checker.memory import held_bytes, reached
from sim.graph.state import State
from sim.native import walks


class States:
    """Fingerprints, parents and, as far as they are needed, the states themselves.

    States that were expanded are forgotten but for their fingerprint, unless the walk is exact or cycles
    are to be judged.
    """

    def __init__(self, mirror: Mirror, known: list[State], level: int, exact: bool, edges: Edges | None) -> None:
        self._elsewhere = held_bytes()
        self._all = exact or edges is not None
        self._edges = edges is not None
        count = len(known)
        base = 0 if self._all else count - level
        size = _power(4 * count + 64)
        registers = self.registers = np.zeros(layout.REGISTERS, np.int64)
        self._slots: Array = np.zeros(size, np.uint64)
        self._ids: Array = np.zeros(size if self._all else 1, np.int32)
        self._offsets: Array = np.zeros(2 * count + 64, np.int64)
        self._cells: Array = np.zeros(64, np.int32)
        self.parent: Array = np.full(2 * count + 64, -1, np.int32)
        self.ordinal: Array = np.full(2 * count + 64, -1, np.int32)
        self.edge_start: Array = np.zeros(2 * count + 65 if self._edges else 1, np.int64)
        self.edge_to: Array = np.zeros(64 if self._edges else 1, np.int32)
        self.edge_action: Array = np.zeros(64 if self._edges else 1, np.int32)
        self.resting: Array = np.zeros(2 * count + 64 if self._edges else 1, np.uint8)
        registers[layout.CURSOR], registers[layout.BASE] = count - level, base
        rows = [mirror.cells(state) for state in known]
        kept = np.array([cell for row in rows[base:] for cell in row], np.int32)
        self._cells = np.concatenate([kept, np.zeros(len(kept) + 64, np.int32)])
        self._offsets[1 : count - base + 1] = np.cumsum([len(row) for row in rows[base:]])
        registers[layout.USED] = len(kept)
        order, first = mirror.rows().order, mirror.locals + mirror.budgets + mirror.cuts
        for number, row in enumerate(rows):
            walks.admit(self._slots, self._ids, number, np.array(row, np.int32), first, order)
        registers[layout.STATES] = count
        if edges is not None:
            self._take_edges(mirror, known, edges)

    def _take_edges(self, mirror: Mirror, known: list[State], edges: Edges) -> None:
        """What the plain walk has noted for the judging of cycles."""
        edges.finish(len(known))
        self.edge_start[: len(known) + 1] = edges.start
        self.resting[list(edges.resting)] = 1
        self.registers[layout.EDGES] = len(edges.to)
        numbers = np.array([mirror.number(action) for action in edges.actions] or [0], np.int32)
        self.edge_to = np.concatenate([np.array(edges.to, np.int32), np.zeros(len(edges.to) + 64, np.int32)])
        self.edge_action = np.zeros_like(self.edge_to)
        self.edge_action[: len(edges.to)] = numbers[np.array(edges.action, np.int64)]

    def store(self) -> Store:
        """The arrays as they are now."""
        return Store(
            self._slots, self._ids, self._cells, self._offsets, self.parent, self.ordinal,
            self.edge_start, self.edge_to, self.edge_action, self.resting,
        )  # fmt: skip

    def length(self, number: int) -> int:
        """How many cells a state has that is kept."""
        at = number - int(self.registers[layout.BASE])
        return int(self._offsets[at + 1] - self._offsets[at])

    def cells(self, number: int) -> list[int]:
        """The cells of a state that is kept."""
        at = number - int(self.registers[layout.BASE])
        found: list[int] = self._cells[self._offsets[at] : self._offsets[at + 1]].tolist()
        return found

    def firsts(self) -> Array:
        """Where the cells of each state begin, in `all_cells`; for a walk that forgets none."""
        return self._offsets[: int(self.registers[layout.STATES])]

    def all_cells(self) -> Array:
        """The cells of all states, one after the other."""
        return self._cells

    # --- growth -------------------------------------------------------------------------------------

    def grow(self, cells: int, memory: int | None) -> str:
        """Makes room for more states, of at most so many cells each; why there is none, or ""."""
        registers = self.registers
        states, used = int(registers[layout.STATES]), int(registers[layout.USED])
        if states >= STATES_MAX - 1:
            return "more than two thousand million states were reached"
        if not self._all:
            self._forget()
            used = int(registers[layout.USED])
        kept = states - int(registers[layout.BASE])
        larger = self._larger(states, kept, used, cells)
        wanted = sum(size * getattr(self, name)[:1].nbytes for name, size in larger.items())
        if memory is not None and max(held_bytes(), self._elsewhere + self._bytes()) + wanted > memory:
            return reached(memory)
        for name, size in larger.items():
            if name not in ("_slots", "_ids"):
                setattr(self, name, _enlarged(getattr(self, name), size))
        if "_slots" in larger:
            size = larger["_slots"]
            slots, ids = np.zeros(size, np.uint64), np.zeros(size if self._all else 1, np.int32)
            walks.widen(self._slots, self._ids, slots, ids)
            self._slots, self._ids = slots, ids
        return ""

    def _larger(self, states: int, kept: int, used: int, cells: int) -> dict[str, int]:
        """The arrays that are too small for so many states (of which `kept` have `used` cells) and one of so many cells and
        four times as many edges (see `CompiledWalk._buffers`): name -> the size it should have."""
        wanted = {"_cells": used + cells, "_offsets": kept + 3, "parent": states + 2, "ordinal": states + 2}
        if self._edges:
            edges = int(self.registers[layout.EDGES]) + 4 * cells
            wanted |= {"edge_start": states + 3, "resting": states + 2, "edge_to": edges, "edge_action": edges}
        room = {name: len(getattr(self, name)) for name in wanted}
        for name in ("_cells", "_offsets"):  # of what was forgotten: a quarter is free, or little is forgotten often
            room[name] -= room[name] // 4
        larger = {name: 2 * size + 64 for name, size in wanted.items() if size > room[name]}
        if 8 * (states + 2) > 5 * len(self._slots):
            larger |= dict.fromkeys(("_slots", "_ids") if self._all else ("_slots",), 2 * len(self._slots))
        return larger

    def _bytes(self) -> int:
        """Of all arrays, also where nothing was written yet and the system gave no memory so far."""
        return sum(array.nbytes for array in self.store())

    def _forget(self) -> None:
        """Drops the cells of states that were expanded."""
        registers = self.registers
        done = int(registers[layout.CURSOR] - registers[layout.BASE])
        if not done:
            return
        kept = int(registers[layout.STATES] - registers[layout.CURSOR])
        begin, used = int(self._offsets[done]), int(registers[layout.USED])
        _move_down(self._cells, begin, used, 0)
        _move_down(self._offsets, done, done + kept + 1, begin)
        registers[layout.USED] = used - begin
        registers[layout.BASE] = registers[layout.CURSOR]


def _move_down(array: Array, begin: int, end: int, less: int) -> None:
    """Moves a part of an array to its beginning, each item lowered by `less`: piece by piece, as a copy of the whole would be
    memory that nobody has counted."""
    for at in range(begin, end, PIECE):
        piece = array[at : min(at + PIECE, end)]
        array[at - begin : at - begin + len(piece)] = piece - less


PIECE = 1 << 18
"""Items that are moved at once."""


def _power(least: int) -> int:
    return 1 << (least - 1).bit_length()


def _enlarged(array: Array, size: int) -> Array:
    """The array with room for so many items."""
    larger = np.zeros((size, *array.shape[1:]), array.dtype)
    larger[: len(array)] = array
    return larger
