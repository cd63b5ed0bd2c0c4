"""What a check found, whichever engine walked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sim.checker import grounds
from sim.checker.reduction.reduction import Reduced
from sim.graph.action import Action
from sim.graph.graph import Graph
from sim.graph.state import GraphStart
from sim.minimiser.counterexample import Counterexample, counterexample_of
from sim.world.finding import Finding


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

    @property
    def counterexample(self) -> Counterexample | None:
        """The finding and the schedule that leads there; a `sometimes` that never held has none."""
        if self.finding is None or self.begin is None or self.graph is None:
            return None
        is_shortest = self.reduced is None or not self.reduced.applied
        return counterexample_of(self.graph, self.begin, self.path, self.finding, complete=is_shortest)

    @property
    def transitions(self) -> tuple[int, int]:
        """Rows of the processes' tables that were taken, and rows declared."""
        if self.graph is None:
            return 0, 0
        return len(self.graph.rows) - len(self.untaken), len(self.graph.rows)

    @property
    def untaken(self) -> list[str]:
        """The rows that were taken in no state, by process."""
        if self.graph is None:
            return []
        taken = {action.covers for action in self.graph.met()}
        return [text for row, text in self.graph.rows.items() if row not in taken]

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
        """What was assumed of runs that never end, beyond weak fairness; empty if nothing was."""
        return "" if self.graph is None else grounds.assumed(self.graph)

    @property
    def notes(self) -> list[str]:
        """What a reader who trusts the verdict should know: what was not judged, or could not be."""
        return [*grounds.notes(self)]

    @property
    def verdict(self) -> str:
        if self.finding is not None:
            return "violated"
        return "ok" if self.complete else "incomplete"


Progress = Callable[[CheckResult], None]
