"""What a check found, whichever engine walked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property

from sim.checker import grounds
from sim.checker.reach import rows_within_reach
from sim.checker.reduction.reduction import Reduced
from sim.graph.action import Action
from sim.graph.graph import Graph
from sim.graph.state import GraphStart
from sim.minimiser.counterexample import Counterexample
from sim.minimiser.minimise import minimise
from sim.world.finding import Finding

EFFORT = 40_000
"""Steps that making a counterexample more usual may take, all trials together: a second or so."""


@dataclass
class CheckResult:
    """What a check found. `complete` says whether every reachable state (inside the bound) was expanded."""

    states: int = 0
    generated: int = 0
    """Initial states + actions applied, self-loops included."""
    depth: int = 0
    """Levels of the breadth-first walk; initial states are at 1."""
    handler_calls: int = 0
    seconds: float = 0.0
    """The walk alone, with the preparation of a reduction: without imports and compilation."""
    complete: bool = False
    stopped: str = ""
    """Why the walk ended early."""
    grew: list[str] = field(default_factory=list)
    """Where a bound was hit: what grew, and what usually helps."""
    outside: int = 0
    """States outside the bound of `within`, not expanded."""
    rests: int = 0
    """States at rest that were judged."""
    cycles: int | None = None
    """Fair cycles that were judged: strongly connected components of progress, each as large as can be. None: they were
    not looked for (`cycles_off` says why, if they would matter)."""
    finding: Finding | None = None
    path: list[Action] = field(default_factory=list)
    """A shortest schedule to the finding."""
    begin: GraphStart | None = None
    """How the run to the finding began."""
    cycles_off: str = ""
    """Why cycles were not looked at though something could be owed on them; empty: they were, or nothing could."""
    graph: Graph | None = None
    engine: str = "plain"
    """The engine that ended the walk: `plain` or `compiled`."""
    collision_probability: float = 0.0
    """A bound on the probability that two states of this walk had one fingerprint, so that one of them was
    taken for known; 0 where states are told apart exactly."""

    reduced: Reduced | None = None
    """What a reduction came to, if one was asked for. Where it was applied, states, generated and depth are
    those of the reduced graph, and the schedule need not be a shortest one."""

    @cached_property
    def counterexample(self) -> Counterexample | None:
        """The finding and a schedule that leads there, which is no longer than `path` and as usual as can be: what came in
        no particular order comes in the order of the canonical schedule. A `sometimes` that never held has none."""
        if self.finding is None or self.begin is None or self.graph is None:
            return None
        is_shortest = self.reduced is None or not self.reduced.applied
        usual = minimise(self.graph, self.begin, self.path, self.finding, effort=EFFORT, longest=len(self.path))
        return replace(usual, complete=is_shortest)

    @property
    def transitions(self) -> tuple[int, int]:
        """Rows of the processes' tables that were taken, and rows that could be: each once for all instances of its class."""
        if self.graph is None:
            return 0, 0
        could = rows_within_reach(self.graph)
        return len(could) - len(self.untaken), len(could)

    @property
    def untaken(self) -> list[str]:
        """The rows that were taken in no state, though what they answer to was there and their state was met."""
        if self.graph is None:
            return []
        rows = self.graph.rows
        taken = {rows.get(action.covers) for action in self.graph.met() if action.covers is not None}
        return [name for name in rows_within_reach(self.graph) if name not in taken]

    @property
    def beyond(self) -> int:
        """How many further rows this configuration cannot take: nothing that they answer to is ever there, or their state is
        never met."""
        return 0 if self.graph is None else len({*self.graph.rows.values()}) - self.transitions[1]

    @property
    def proved(self) -> list[str]:
        """What a complete check without a finding has shown, by name."""
        return grounds.proved(self)

    @property
    def judged_at(self) -> str:
        """Where it was judged what is owed: `14 states at rest, 3 fair cycles looked at`."""
        return grounds.rests_on(self)

    @property
    def assumed(self) -> str:
        """What was assumed of where it begins, and of runs that never end, beyond weak fairness; empty if nothing was."""
        return "" if self.graph is None else grounds.assumed(self.graph)

    @property
    def notes(self) -> list[str]:
        """What a reader who trusts the verdict should know: what was not judged, or could not be."""
        return [*grounds.notes(self)]

    @property
    def among(self) -> str:
        """Among how much it looked."""
        return f"{self.states:,} states"

    @property
    def bound_by(self) -> str:
        """What ended the walk early, in a word; empty: nothing did."""
        return next((word for word in _ENDS if word in self.stopped), "size") if self.stopped else ""

    @property
    def verdict(self) -> str:
        if self.finding is not None:
            return "violated"
        return "ok" if self.complete else "incomplete"


_ENDS = ("memory", "time", "states", "interrupted")
"""What a walk is ended by; anything else is a number that is too large for it."""


Progress = Callable[[CheckResult], None]
