"""The graph that a compiled walk has explored, as arrays: what `sim.checker.components` does there, compiled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from sim.checker.compiled.layout import CURSOR, STATES, USED, Components, Reach
from sim.checker.compiled.mirror import Mirror
from sim.checker.compiled.store import States
from sim.checker.explored import WholeGraph
from sim.graph.judge import Evaluated
from sim.native import walks

_ASKED_AT_ONCE = 1 << 17
"""States whose columns are looked at together: so that what one step needs stays small beside the states."""


class ArrayGraph(WholeGraph):
    """An explored graph in the arrays of a walk."""

    slice = 5_000_000

    def __init__(self, states: States, mirror: Mirror, starts: int) -> None:
        registers = states.registers
        self.starts, self.count = starts, int(registers[STATES])
        cursor, self._first = int(registers[CURSOR]), states.firsts()
        states.edge_start[cursor + 1 : self.count + 1] = states.edge_start[cursor]
        self.edge_start, self.edge_to, self.edge_action = states.edge_start, states.edge_to, states.edge_action
        self.resting = states.resting[: self.count]
        self.actions, self._cells = mirror.action_list, states.all_cells()
        self._used, self._mirror = int(registers[USED]), mirror
        self._beyond = np.array(sorted(mirror.graph.tables.failed), np.int32)
        self._machines = mirror.locals
        self.depth = self.fresh(0)
        walks.depths(states.parent, self.depth)
        self._note_actions()

    def _note_actions(self) -> None:
        self.moves = np.array([int(action.progress) for action in self.actions] or [0], np.uint8)
        self.keys = np.array(self._keys() or [0], np.int64)

    def column(self, machine: int) -> Sequence[int]:
        column: Sequence[int] = self._cells[self._first + machine]
        return column

    def holds(self, prop: Evaluated) -> Any:
        found = np.zeros(self.count, np.uint8)
        for at in range(0, self.count, _ASKED_AT_ONCE):
            for numbers, read in self._read(prop, at, min(at + _ASKED_AT_ONCE, self.count)):
                distinct, which = np.unique(read, axis=0, return_inverse=True)
                said = [self._holds(prop, row) for row in distinct.tolist()]
                found[numbers] = np.array(said, np.uint8)[which.reshape(-1)]
        if len(self._beyond):
            for machine in range(self._machines):
                found[np.isin(self._cells[self._first + machine], self._beyond)] = 1
        return found

    def _read(self, prop: Evaluated, begin: int, end: int) -> Iterator[tuple[Any, Any]]:
        """What a predicate reads in the states begin..end: the numbers of states in which it is as much, and a row for each:
        0, the local values, the envelopes in flight."""
        first = self._first[begin:end]
        numbers = np.arange(begin, end)
        read = self._cells[first[:, None] + np.array(prop.reads, np.int64)]
        read = np.concatenate([np.zeros((len(first), 1), np.int32), read], axis=1)
        watches = self._mirror.watches(prop)
        if not watches:
            yield numbers, read
            return
        lengths = np.diff(first, append=self._first[end] if end < self.count else self._used)
        cells = self._cells[first[0] : first[0] + lengths.sum()]
        whose = np.repeat(np.arange(len(first)), lengths)
        place = np.arange(len(cells)) - (first - first[0])[whose]
        flying = np.flatnonzero(place >= self._mirror.fixed)
        flying = flying[(self._mirror.watched[cells[flying]] & watches) != 0]
        flying = flying[np.lexsort((cells[flying], whose[flying]))]
        count = np.bincount(whose[flying], minlength=len(first))
        at = np.cumsum(count) - count
        for many in np.unique(count).tolist():
            those = np.flatnonzero(count == many)
            envelopes = cells[flying[at[those][:, None] + np.arange(many)]]
            yield numbers[those], np.concatenate([read[those], envelopes], axis=1)

    def _holds(self, prop: Evaluated, read: list[int]) -> bool:
        end = 1 + len(prop.reads)
        if any(n in self._beyond for n in read[1:end]):
            return True
        locals_ = [0] * (max(prop.reads, default=-1) + 1)
        for machine, value in zip(prop.reads, read[1:end], strict=True):
            locals_[machine] = value
        network = self._mirror.graph.network
        return prop(tuple(locals_), network.add(network.empty(), tuple(read[end:])))

    def among(self, machine: int, values: set[int]) -> Any:
        return np.isin(self.column(machine), np.array(sorted(values), np.int32)).astype(np.uint8)

    def inverse(self, flags: Any) -> Any:
        return 1 - flags

    def both(self, one: Any, other: Any) -> Any:
        return one & other

    def first(self, flags: Any) -> Any:
        found = flags.copy()
        found[self.starts :] = 0
        return found

    def everywhere(self) -> Any:
        return np.ones(self.count, np.uint8)

    def fresh(self, fill: int, size: int | None = None) -> Any:
        return np.full(self.count if size is None else size, fill, np.int64)

    def _members(self, index: Any, fair: Any, labels: int) -> list[list[int]]:
        rounds = np.flatnonzero(fair[:labels])
        if len(rounds) == 0:
            return []
        label = -2 - index
        inside = np.flatnonzero((label >= 0) & (fair[np.maximum(label, 0)] != 0))
        found: dict[int, list[int]] = {int(one): [] for one in rounds}
        for number in inside:
            found[int(label[number])].append(int(number))
        return list(found.values())

    def _reach(self, *args: Any) -> int:
        return int(walks.reach(Reach(*args)))

    def _components(
        self, order: Any, met: int, via: Any, touch: Any, edge_start: Any, edge_to: Any, edge_action: Any, moves: Any,
        keys: Any, tally: Any, *search: Any,
    ) -> bool:  # fmt: skip
        *arrays, steps = search
        over = Components(order, via, touch, edge_start, edge_to, edge_action, moves, keys, *tally, *arrays)
        return bool(walks.components(over, met, steps))
