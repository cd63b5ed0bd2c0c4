"""The plain walk: breadth first over all states, each expanded once. It defines what a check does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sim.checker.liveness import Edges, judge_eventually
from sim.checker.memory import held_bytes, reached
from sim.checker.reduction.reduction import Reduction
from sim.checker.result import CheckResult, Progress, proved
from sim.graph.action import Action
from sim.graph.graph import Graph
from sim.graph.judge import Judge
from sim.graph.state import GraphStart, State
from sim.world.finding import Finding

_LOOK_EVERY = 1000
"""After so many new states the memory held is looked at."""


class Limits(NamedTuple):
    """Where a walk stops: distinct states, and bytes held by this process."""

    states: int | None = None
    memory: int | None = None

    def states_reached(self) -> str:
        """Why the walk ended, as a user reads it."""
        return f"{self.states} states were reached"


class PlainWalk:
    """The plain walk, which defines what a check does. With a reduction it explores states that stand for others: what
    it keeps is what `Reduction.of` makes of a state."""

    def __init__(
        self, graph: Graph, limits: Limits, progress: Progress | None = None, reduction: Reduction | None = None
    ) -> None:
        self.graph = graph
        self.reduction = reduction
        self.judge = Judge(graph) if reduction is None else reduction.judge
        self.limits = limits
        self.progress = progress
        self.result = CheckResult(graph=self.graph)
        self.parents: dict[State, tuple[State, Action] | None] = {}
        self.starts: dict[State, GraphStart] = {}
        self.unseen = list(self.judge.sometimes)
        self.edges = Edges() if self.judge.eventually else None
        self._look_at = _LOOK_EVERY

    def run(self, hand_over_at: int | None = None) -> list[State]:
        """Walks to the end; or until so many states were met, and then returns the level to expand next."""
        return self.go_on(self._begin(), hand_over_at)

    def go_on(self, level: list[State], hand_over_at: int | None = None) -> list[State]:
        """The same from a level that was reached."""
        while level and self.result.finding is None:
            if hand_over_at is not None and len(self.parents) >= hand_over_at:
                return level
            self.next_level(len(self.parents))
            level = self._expand(level)
            if self.result.stopped:
                return []
        if self.result.finding is None:
            self._end()
        return []

    def next_level(self, states: int) -> None:
        """Notes that a level begins, with so many states met."""
        self.result.depth += 1
        if self.progress is not None:
            self.result.states = states
            self.progress(self.result)

    def _begin(self) -> list[State]:
        level = []
        for start in self.graph.starts() if self.reduction is None else self.reduction.starts():
            state = start.place if self.reduction is None else self.reduction.of(start.place)
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
        graph, parents, result, reduction = self.graph, self.parents, self.result, self.reduction
        for position, state in enumerate(level):
            if self.judge.within is not None and not self.judge.within(state.locals):
                result.outside += 1
                continue
            quiescent = True
            for action in graph.enabled(state) if reduction is None else reduction.enabled(state):
                after = graph.apply(state, action)
                result.generated += 1
                if action.progress and quiescent and after != state:
                    quiescent = False
                if reduction is not None:
                    after = reduction.of(after)
                if self.edges is not None:
                    self.edges.add(state, action, after)
                if after in parents:
                    continue
                if self.limits.states is not None and len(parents) >= self.limits.states:
                    result.stopped = self.limits.states_reached()
                    return found
                parents[after] = (state, action)
                found.append(after)
                if self._violated(after):
                    shorter = next((one for one in level[position:] if self.owed(one) is not None), None)
                    if shorter is not None:
                        self._violated_at_rest(shorter)
                    return found
            if quiescent and self._violated_at_rest(state):
                return found
            if self.limits.memory is not None and len(parents) >= self._look_at:
                self._look_at = len(parents) + _LOOK_EVERY
                if held_bytes() > self.limits.memory:
                    result.stopped = reached(self.limits.memory)
                    return found
        return found

    def owed(self, state: State) -> Finding | None:
        """What is owed in a state of a level, if it is at rest. Where a violation was met one step beyond
        the level, this makes a counterexample that is one step shorter."""
        inside = self.judge.within is None or self.judge.within(state.locals)
        finding = self.judge.judge_quiescent(state) if inside else None
        return finding if finding is not None and self.graph.quiescent(state) else None

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
            self._found(finding, state, at_rest=True)
        elif self.edges is not None:
            self.edges.rest(state)
        return finding is not None

    def _found(self, finding: Finding, state: State, *, at_rest: bool = False) -> None:
        self.found(finding, *self.path(state), at_rest=at_rest)

    def found(self, finding: Finding, path: list[Action], begin: GraphStart, *, at_rest: bool) -> None:
        """A violation is at the end of this way (`at_rest`: for what is owed there)."""
        if self.reduction is not None:
            path, begin, finding = self.reduction.replay(path, begin, at_rest=at_rest)
        self.result.path, self.result.begin, self.result.finding = path, begin, finding

    def step(self, state: State, action: Action) -> State:
        """Where this walk goes from a state of its own."""
        after = self.graph.apply(state, action)
        return after if self.reduction is None else self.reduction.of(after)

    def path(self, state: State) -> tuple[list[Action], GraphStart]:
        """A shortest way to a state that this walk has met, and its start."""
        path: list[Action] = []
        link = self.parents[state]
        while link is not None:
            state, action = link
            path.append(action)
            link = self.parents[state]
        return path[::-1], self.starts[state]

    def _end(self) -> None:
        """Everything was expanded: judge what only the whole can tell."""
        if self.edges is not None:
            for prop in self.judge.eventually:
                lasso = judge_eventually(prop, self.edges, list(self.starts))
                if lasso is not None:
                    self.conclude(lasso.finding, lasso.path, self.starts[lasso.start])
                    return
        self.conclude()

    def conclude(
        self, finding: Finding | None = None, path: Sequence[Action] = (), begin: GraphStart | None = None
    ) -> None:
        """Ends a complete walk: with what `eventually` found, a `sometimes` that never held, or a proof."""
        result = self.result
        result.complete = True  # not before: an interrupted judgement of `eventually` has proved nothing
        if finding is not None:
            result.finding, result.path, result.begin = finding, list(path), begin
        elif self.unseen:
            result.finding = Finding(self.unseen[0].name, "holds in no reachable state, so the model may do nothing")
        else:
            result.proved = proved(self.graph.system)


CUTS_MAX = 62
"""Cuts whose bits fit into one number."""


def only_plain(graph: Graph) -> str:
    """Why the compiled engines cannot walk this graph; "" if they can."""
    if graph.system.machines:
        return "the plain engine goes on: processes share a machine"
    if graph.lasting and len(graph.budget.cuts) > CUTS_MAX:
        return f"the plain engine goes on: more than {CUTS_MAX // 2} cuts, and one may be for good"
    return ""
