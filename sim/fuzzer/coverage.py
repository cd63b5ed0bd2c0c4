"""What schedules covered: distinct states, rows of the tables, and an estimate of what is still unseen.

Coverage can be carried from process to process and merged: states are known by fingerprints, rows by process
and index, none of which depends on what was met before. Merging is the same in any order.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from sim.fuzzer.bound import Sizes
from sim.run.trace import Run
from sim.world.world import AnyWorld

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]


class CoverageData(NamedTuple):
    """A coverage as plain data."""

    prints: bytes
    """The fingerprints of the distinct states, ascending, 8 bytes each in the machine's order."""
    once: bytes
    """For each of them a byte: 1 if just one schedule came by."""
    visits: int
    """Distinct states of each schedule, added up."""
    taken: tuple[tuple[str, int], ...]
    """The rows taken: process, and index in its table."""
    held: tuple[str, ...]
    """The `sometimes` properties that held in some state."""
    sizes: tuple[tuple[int, int], ...] = ()
    """Of the schedules of PCTCP (see `sim.fuzzer.bound`)."""
    uneven: bool = False
    """Whether these differ."""
    round: int = 0
    """The shortest round that a schedule could have gone forever; 0: none did."""


class Coverage:
    """The states and transitions that the schedules so far have visited."""

    def __init__(self, world: AnyWorld) -> None:
        self._world = world
        self.has_tables = world.places_are_values
        """Whether its rows are transitions; else they are what can strike."""
        self.kind = "states" if self.has_tables else "pairs of steps"
        """What it counts: states, or, of a program, what ran one after the other."""
        self._once: dict[Any, bool] = {}
        """State -> whether just one schedule came by."""
        self._merged: list[tuple[Array, Array]] = []
        """The same of schedules that others ran: fingerprints, ascending, and whether once."""
        self._visits = 0
        self._taken: dict[tuple[str, int], None] = {}
        self.sizes = Sizes(world)
        self.round = 0
        """The shortest round that a schedule could have gone forever; 0: none did."""
        self._held: dict[str, bool] = {p.name: False for p in world.goals if p.kind == "sometimes"}

    def note(self, seen: Iterable[Any], run: Run) -> None:
        """A schedule visited these distinct states."""
        once = self._once
        for state in seen:
            self._visits += 1
            once[state] = state not in once
        self._taken |= dict.fromkeys(choice.covers for _, choice in run.trace.steps if choice.covers is not None)
        self.reach(run)

    def reach(self, run: Run) -> None:
        """Notes which `sometimes` properties held in a run, and whether it could go on forever."""
        self._came_round(run.round)
        for name in self._held:
            self._held[name] = self._held[name] or run.reached[name]

    def _came_round(self, length: int) -> None:
        self.round = min(length, self.round) if length and self.round else length or self.round

    # --- carrying and merging -----------------------------------------------------------------------

    def data(self) -> CoverageData:
        """All of it, to be merged elsewhere."""
        prints, once = self._all()
        held = tuple(name for name, it_did in self._held.items() if it_did)
        taken, sizes = tuple(sorted(self._taken)), self.sizes
        return CoverageData(
            prints.tobytes(), once.tobytes(), self._visits, taken, held, sizes.seen, sizes.uneven, self.round
        )

    def merge(self, data: CoverageData) -> None:
        """Adds what other schedules of the same system covered."""
        from sim.fuzzer.arrays import np

        prints, once = np.frombuffer(data.prints, np.uint64), np.frombuffer(data.once, np.uint8)
        self._merged.append((prints, once))
        self._visits += data.visits
        self._taken |= dict.fromkeys(data.taken)
        self._held |= dict.fromkeys(data.held, True)
        self.sizes.add(data.sizes, uneven=data.uneven)
        self._came_round(data.round)

    def _all(self) -> tuple[Array, Array]:
        """Fingerprints, ascending, and whether just one schedule came by; all parts are one from now on."""
        from sim.fuzzer.arrays import np

        if self._once:
            own = array("Q", map(self._world.fingerprint, self._once))
            prints, once = np.frombuffer(own, np.uint64), np.fromiter(self._once.values(), np.uint8)
            order = np.argsort(prints)
            self._merged.append((prints[order], once[order]))
            self._once = {}
        if len(self._merged) != 1:
            self._merged = [union(self._merged)]
        return self._merged[0]

    # --- what it says -------------------------------------------------------------------------------

    @property
    def states(self) -> int:
        """Distinct states."""
        return len(self._all()[0]) if self._merged else len(self._once)

    @property
    def unseen(self) -> tuple[int, int]:
        """The share, as a ratio, of a further schedule's states that would be new: the estimate of Good
        and Turing, with schedules as samples (states that one schedule visited, all visits)."""
        once = int(self._all()[1].sum()) if self._merged else sum(self._once.values())
        return once, self._visits

    @property
    def unreached(self) -> list[str]:
        """The `sometimes` properties that held in no state."""
        return [name for name, held in self._held.items() if not held]

    @property
    def transitions(self) -> tuple[int, int]:
        """Rows taken, and rows that could be (`World.rows`), each once for all instances of its class."""
        names = dict.fromkeys(self._world.rows.values())
        return len(names) - len(self.untaken), len(names)

    @property
    def untaken(self) -> list[str]:
        """The rows that no schedule took, of whichever instance: `Coordinator  Response: stopped -> (stays)`."""
        rows = self._world.rows
        taken = {rows[row] for row in self._taken if row in rows}
        return [name for name in dict.fromkeys(rows.values()) if name not in taken]


def union(parts: list[tuple[Array, Array]]) -> tuple[Array, Array]:
    """Several coverages of states as one: what two of them have was visited more than once."""
    from sim.fuzzer.arrays import np

    if not parts:
        return np.zeros(0, np.uint64), np.zeros(0, np.uint8)
    prints, once = np.concatenate([p for p, _ in parts]), np.concatenate([o for _, o in parts])
    order = np.argsort(prints, kind="stable")
    prints, once = prints[order], once[order]
    first = np.ones(len(prints), bool)
    first[1:] = prints[1:] != prints[:-1]
    alone = first.copy()
    alone[:-1] &= first[1:]
    return prints[first], (once & alone)[first]
