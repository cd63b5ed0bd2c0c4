"""The simulation of one schedule: a strategy picks, the graph applies, the judge looks at every state."""

from __future__ import annotations

from sim.base.errors import ModelError
from sim.base.values import describe
from sim.graph.action import Action
from sim.graph.graph import Graph, Start
from sim.graph.judge import AT_REST, Evaluated, Finding, Judge, endless
from sim.run.lasso import came_round
from sim.run.trace import Ending, Run, Trace
from sim.strategy.base import Strategy
from sim.strategy.virtual_time import VirtualTime
from sim.system.system import System, refuse_timed

MAX_STEPS = 10_000


def simulate(
    system: System | Graph,
    strategy: Strategy,
    *,
    max_steps: int = MAX_STEPS,
    judge: Judge | None = None,
) -> Run:
    """Run one schedule to its end: nothing enabled, the schedule used up, a property violated, or
    `max_steps` steps.

    A `Graph` may be given instead of a system, to use its tables again; this changes nothing of the run.
    Raises `DivergenceError` if a replayed schedule does not fit, `ModelError` if the model breaks a rule
    of the framework.
    """
    if isinstance(strategy, type) or not hasattr(strategy, "begin"):
        name = strategy.__name__ if isinstance(strategy, type) else "Uniform"
        raise ModelError(f"the strategy is {describe(strategy)}: give an instance, {name}(...)")
    graph = system if isinstance(system, Graph) else Graph(system)
    if not isinstance(strategy, VirtualTime):
        refuse_timed(graph.system, f"the strategy {strategy.name}")
    walk = Walk(graph, strategy.begin(graph), judge)
    if isinstance(strategy, VirtualTime):
        walk.trace.slowdowns = strategy.slowdowns
    return walk.follow(strategy, max_steps)


class Walk:
    """A run under way, judged after every step. `simulate` follows a strategy to its end; who picks from
    outside takes the steps one by one, and may let a strategy finish."""

    def __init__(self, graph: Graph, start: Start, judge: Judge | None = None) -> None:
        self.graph = graph
        self.judge = judge or Judge(graph)
        self.trace = Trace(graph, start)
        self.state = start.state
        self.open: list[Evaluated] = [*self.judge.sometimes, *self.judge.eventually]
        """The properties that have not held yet."""
        self._note()
        self.finding: Finding | None = self.judge.judge(self.state)

    def take(self, action: Action, now_ms: int | None = None) -> bool:
        """Take one step; False if the run is over instead, as something is wrong with resting here."""
        state = self.state
        after = self.graph.apply(state, action)
        if not action.progress or after == state:
            self.finding = self.rest()  # only here can `state` have been quiescent
            if self.finding is not None:
                return False
        self.trace.steps.append((now_ms, action))
        self.state = after
        self.finding = self.judge.judge(after)
        if self.open:
            self._note()
        return True

    def follow(self, strategy: Strategy, max_steps: int = MAX_STEPS) -> Run:
        """Take what `strategy`, which has begun, picks; at most `max_steps` steps in the whole run."""
        pick, took, take, steps = strategy.pick, strategy.took, self.take, self.trace.steps
        ending = Ending.STEPS
        while self.finding is None and len(steps) < max_steps:
            action = pick(self.state)
            if action is None:
                ending = Ending.QUIESCENT
                self.finding = self.rest()
                if self.finding is None and not self.graph.quiescent(self.state):
                    ending = Ending.SCHEDULE
                    self.finding = self._round()
                break
            if take(action, strategy.now_ms):
                took(action)
        return self.run(ending)

    def run(self, ending: Ending = Ending.INTERRUPTED) -> Run:
        """What there is up to here; `ending` says why there is no more if nothing is wrong."""
        if self.finding is not None:
            ending = Ending.VIOLATED
        self.trace.end = self.state
        still_open = {prop.name for prop in self.open}
        kept = (*self.judge.sometimes, *self.judge.eventually)
        reached = {prop.name: prop.name not in still_open for prop in kept}
        return Run(self.trace, self.state, ending, self.finding, reached)

    def _note(self) -> None:
        self.open = [prop for prop in self.open if not prop(self.state.locals)]

    def _round(self) -> Finding | None:
        """What is wrong if the schedule ended where it could go round for ever."""
        avoided = [prop.name for prop in self.open if prop.property.kind == "eventually"]
        if not avoided:
            return None
        length = came_round(self.graph, self.trace.states(), [action for _, action in self.trace.steps])
        return Finding(avoided[0], endless(length)) if length else None

    def rest(self) -> Finding | None:
        """What is wrong in this state if it is quiescent."""
        if not self.graph.quiescent(self.state):
            return None
        finding = self.judge.judge_quiescent(self.state)
        if finding is not None:
            return finding
        for prop in self.open:
            if prop.property.kind == "eventually":
                return Finding(prop.name, AT_REST)
        return None
