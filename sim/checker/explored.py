"""The graph that a check has explored, in numbers: states in the order in which they were met, and edges by state."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from typing import Any

from sim.checker import components
from sim.graph.action import Action
from sim.graph.judge import Evaluated
from sim.graph.state import State


class TimeIsUp(Exception):
    """There is no more time to judge."""


class Edges:
    """Edges as they are found: state after state, in the order in which states were met."""

    def __init__(self) -> None:
        self.start: list[int] = [0]
        self.to: list[int] = []
        self.action: list[int] = []
        self.actions: list[Action] = []
        self.resting: set[int] = set()
        self._numbers: dict[Action, int] = {}

    def add(self, action: Action, after: int) -> None:
        """An edge of the state whose turn it is."""
        number = self._numbers.get(action)
        if number is None:
            number = self._numbers[action] = len(self.actions)
            self.actions.append(action)
        self.to.append(after)
        self.action.append(number)

    def close(self, *, at_rest: bool = False) -> None:
        """That was all of this state."""
        if at_rest:
            self.resting.add(len(self.start) - 1)
        self.start.append(len(self.to))

    def finish(self, states: int) -> None:
        """There are so many states; those whose turn did not come have no edges."""
        self.start += [len(self.to)] * (states + 1 - len(self.start))


class WholeGraph:
    """States of which the first `starts` are initial; `depth` says how many steps away each is."""

    slice = 100_000
    """Edges that the search for components follows before it pauses."""

    def __init__(
        self, starts: int, states: Sequence[State], depth: Sequence[int], edges: Edges, failed: Container[int]
    ) -> None:
        self.starts, self.depth, self.count = starts, depth, len(states)
        edges.finish(self.count)
        self.edge_start: Any = edges.start
        self.edge_to: Any = edges.to
        self.edge_action: Any = edges.action
        self.resting: Any = [int(n in edges.resting) for n in range(self.count)]
        self.actions = edges.actions
        self._states, self._failed = states, failed
        self._note_actions()

    def _note_actions(self) -> None:
        self.moves: Any = [int(action.progress) for action in self.actions]
        self.keys: Any = self._keys()

    def _keys(self) -> list[int]:
        """For each action the number of what it takes: what fairness is owed to, whatever it chooses."""
        numbers: dict[object, int] = {}
        return [numbers.setdefault(action.takes, len(numbers)) for action in self.actions]

    # --- what is known of all states ----------------------------------------------------------------

    def column(self, machine: int) -> Sequence[int]:
        """The local value of a process or monitor in each state."""
        return [state.locals[machine] for state in self._states]

    def holds(self, prop: Evaluated) -> Any:
        """For each state whether a predicate holds in it. It is not asked where a machine has failed."""
        failed = self._failed
        return [int(any(n in failed for n in one.locals) or prop(one.locals, one.net)) for one in self._states]

    def among(self, machine: int, values: set[int]) -> Any:
        """For each state whether the local value of a machine is one of these."""
        return [int(value in values) for value in self.column(machine)]

    def everywhere(self) -> Any:
        """For each state that it is one."""
        return self.fresh(1)

    def inverse(self, flags: Any) -> Any:
        """The other states."""
        return [1 - flag for flag in flags]

    def both(self, one: Any, other: Any) -> Any:
        """The states in both."""
        return [a & b for a, b in zip(one, other, strict=True)]

    def first(self, flags: Any) -> Any:
        """Of these, the initial states."""
        return [flag if n < self.starts else 0 for n, flag in enumerate(flags)]

    # --- walks --------------------------------------------------------------------------------------

    def fresh(self, fill: int, size: int | None = None) -> Any:
        """Room for a number for each state."""
        return [fill] * (self.count if size is None else size)

    def reach(self, begins: Any, stays: Any) -> Reached:
        """See `components.reach`."""
        order, via, origin = self.fresh(-1), self.fresh(components.UNMET), self.fresh(-1)
        args = (begins, stays, self.depth, self.edge_start, self.edge_to, order, via, origin)
        return Reached(order, self._reach(*args), via, origin)

    def rounds(self, reached: Reached, touch: Any, time_is_up: Callable[[], bool] = bool) -> list[list[int]]:
        """The components that are rounds, see `components.components`; the members of each in ascending order. Raises
        `TimeIsUp` when that is said."""
        index, fair = self.fresh(-1), self.fresh(0, self.count + 1)
        low, stack, work, at = (self.fresh(-1, self.count + 1) for _ in range(4))
        tally = tuple(self.fresh(0, len(self.actions) + 1) for _ in range(4))
        registers = self.fresh(-1, components.REGISTERS)
        for register in (components.ROOT, components.MET, components.HEIGHT):
            registers[register] = 0
        args = (
            reached.order, reached.met, reached.via, touch, self.edge_start, self.edge_to, self.edge_action,
            self.moves, self.keys, tally, low, index, stack, work, at, fair, registers,
        )  # fmt: skip
        while not self._components(*args, self.slice):
            if time_is_up():
                raise TimeIsUp
        return self._members(index, fair, -1 - int(registers[components.LABEL]))

    def _members(self, index: Any, fair: Any, labels: int) -> list[list[int]]:
        found: dict[int, list[int]] = {label: [] for label in range(labels) if fair[label]}
        for number, label in enumerate(index):
            if -2 - label in found:
                found[-2 - label].append(number)
        return list(found.values())

    def _reach(self, *args: Any) -> int:
        return int(components.reach(*args))

    def _components(self, *args: Any) -> bool:
        return bool(components.components(*args))

    def moves_from(self, number: int) -> list[tuple[Action, int]]:
        """The progress from a state that leads elsewhere."""
        edges = range(int(self.edge_start[number]), int(self.edge_start[number + 1]))
        found = ((self.actions[int(self.edge_action[e])], int(self.edge_to[e])) for e in edges)
        return [(action, after) for action, after in found if action.progress and after != number]

    def edge(self, number: int) -> Action:
        """The action of an edge."""
        return self.actions[int(self.edge_action[number])]


def connected(start: list[int], to: list[int], time_is_up: Callable[[], bool] = bool) -> list[list[int]]:
    """The strongly connected components of more than one state of a part of a graph. Raises `TimeIsUp` when that is said."""
    count = len(start) - 1
    every, none = [1] * count, [0] * (count + 1)
    low, index, stack, work, at = ([-1] * (count + 1) for _ in range(5))
    registers = [-1] * components.REGISTERS
    for register in (components.ROOT, components.MET, components.HEIGHT):
        registers[register] = 0
    tally = tuple([-1] * (len(to) + 1) for _ in range(4))
    edges = [*range(len(to))]
    args = (
        [*range(count)], count, every, every, start, to, edges, [1] * len(to), edges, tally,
        low, index, stack, work, at, none, registers,
    )  # fmt: skip
    while not components.components(*args, WholeGraph.slice):
        if time_is_up():
            raise TimeIsUp
    found: dict[int, list[int]] = {}
    for number, label in enumerate(index[:count]):
        found.setdefault(label, []).append(number)
    return [one for one in found.values() if len(one) > 1]


class Reached:
    """What a walk met: `met` states in `order`, each by the edge `via` from its `origin`."""

    def __init__(self, order: Any, met: int, via: Any, origin: Any) -> None:
        self.order, self.met, self.via, self.origin = order, met, via, origin

    def states(self) -> Any:
        """Those met, nearest first."""
        return self.order[: self.met]

    def way(self, number: int) -> tuple[int, list[int]]:
        """Where the walk to a state begins, and its edges."""
        edges: list[int] = []
        while self.via[number] != components.SOURCE:
            edges.append(int(self.via[number]))
            number = int(self.origin[number])
        return number, edges[::-1]
