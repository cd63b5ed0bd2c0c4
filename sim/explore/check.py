"""The exhaustive check: breadth first over all states, each expanded once."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sim.action import Action
from sim.explore.liveness import Edges, judge_eventually
from sim.graph import Graph, Start, State
from sim.judge import Finding, Judge
from sim.system import System, refuse_timed


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
    complete: bool = False
    stopped: str = ""
    """Why the walk ended early."""
    outside: int = 0
    """States outside the bound of `within`, not expanded."""
    finding: Finding | None = None
    path: list[Action] = field(default_factory=list)
    """A shortest schedule to the finding."""
    begin: Start | None = None
    """How the run to the finding began."""
    proved: list[str] = field(default_factory=list)
    graph: Graph | None = None

    @property
    def verdict(self) -> str:
        if self.finding is not None:
            return "violated"
        return "ok" if self.complete else "incomplete"


Progress = Callable[[CheckResult], None]


def check(system: System, *, max_states: int | None = None, progress: Progress | None = None) -> CheckResult:
    """Walk every state of `system` within its fault budget and bound; stops at the first violation.

    With breadth first the counterexample is a shortest one. `max_states` bounds the number of distinct
    states: the verdict is then `incomplete` unless a violation was met. A KeyboardInterrupt ends the walk
    with what was covered. Raises `ModelError` if the model breaks a rule of the framework.
    """
    walk = _Walk(system, max_states, progress)
    started = time.perf_counter()
    try:
        walk.run()
    except KeyboardInterrupt:
        walk.result.stopped = "interrupted"
    result = walk.result
    result.seconds = time.perf_counter() - started
    result.states = len(walk.parents)
    result.handler_calls = walk.graph.handler_calls
    return result


class _Walk:
    def __init__(self, system: System, max_states: int | None, progress: Progress | None) -> None:
        refuse_timed(system, "a check")
        self.graph = Graph(system)
        self.judge = Judge(self.graph)
        self.max_states = max_states
        self.progress = progress
        self.result = CheckResult(graph=self.graph)
        self.parents: dict[State, tuple[State, Action] | None] = {}
        self.starts: dict[State, Start] = {}
        self.unseen = list(self.judge.sometimes)
        self.edges = Edges() if self.judge.eventually else None

    def run(self) -> None:
        level = self._begin()
        while level and self.result.finding is None:
            self.result.depth += 1
            if self.progress is not None:
                self.result.states = len(self.parents)
                self.progress(self.result)
            level = self._expand(level)
            if self.result.stopped:
                return
        if self.result.finding is None:
            self._end()

    def _begin(self) -> list[State]:
        level = []
        for start in self.graph.starts():
            state = start.state
            if state not in self.parents:  # two ways to begin may be one initial state
                self.result.generated += 1
                self.parents[state] = None
                self.starts[state] = start
                level.append(state)
                if self._violated(state):
                    break
        return level

    def _expand(self, level: list[State]) -> list[State]:
        """All successors of a level that were not met before."""
        found: list[State] = []
        graph, parents, result = self.graph, self.parents, self.result
        for position, state in enumerate(level):
            if self.judge.within is not None and not self.judge.within(state.locals):
                result.outside += 1
                continue
            quiescent = True
            for action in graph.enabled(state):
                after = graph.apply(state, action)
                result.generated += 1
                if action.progress and quiescent and after != state:
                    quiescent = False
                if self.edges is not None:
                    self.edges.add(state, action, after)
                if after in parents:
                    continue
                if self.max_states is not None and len(parents) >= self.max_states:
                    result.stopped = f"{self.max_states} states were reached"
                    return found
                parents[after] = (state, action)
                found.append(after)
                if self._violated(after):
                    self._look_for_shorter(level[position:])
                    return found
            if quiescent and self._violated_at_rest(state):
                return found
        return found

    def _look_for_shorter(self, level: list[State]) -> None:
        """A violation was met one step beyond `level`: a state of it in which something is owed at rest makes
        a counterexample that is one step shorter."""
        for state in level:
            inside = self.judge.within is None or self.judge.within(state.locals)
            finding = self.judge.judge_quiescent(state) if inside else None
            if finding is not None and self.graph.quiescent(state):
                self._found(finding, state)
                return

    def _violated(self, state: State) -> bool:
        finding = self.judge.judge(state)
        if finding is not None:
            self._found(finding, state)
            return True
        if self.unseen:
            self.unseen = [prop for prop in self.unseen if not prop(state.locals)]
        return False

    def _violated_at_rest(self, state: State) -> bool:
        finding = self.judge.judge_quiescent(state)
        if finding is not None:
            self._found(finding, state)
        elif self.edges is not None:
            self.edges.rest(state)
        return finding is not None

    def _found(self, finding: Finding, state: State) -> None:
        self.result.finding = finding
        path: list[Action] = []
        link = self.parents[state]
        while link is not None:
            state, action = link
            path.append(action)
            link = self.parents[state]
        self.result.path = path[::-1]
        self.result.begin = self.starts[state]

    def _end(self) -> None:
        """Everything was expanded: judge what only the whole can tell."""
        result = self.result
        if self.edges is not None:
            for prop in self.judge.eventually:
                lasso = judge_eventually(prop, self.edges, list(self.starts))
                if lasso is not None:
                    result.finding, result.path = lasso.finding, lasso.path
                    result.begin = self.starts[lasso.start]
                    result.complete = True
                    return
        result.complete = True  # not before: an interrupted judgement of `eventually` has proved nothing
        if self.unseen:
            name = self.unseen[0].name
            result.finding = Finding(name, "holds in no reachable state, so the model may do nothing")
            return
        result.proved = proved(self.graph.system)


def proved(system: System) -> list[str]:
    """What a complete check without a finding has shown, by name."""
    monitors = [f"monitor {name}" for name in system.monitors]
    built_in = ["never stuck", "no unhandled input", "no exception in a handler"]
    return [*map(str, system.properties), *monitors, *built_in]
