"""The simulation of one schedule: a strategy picks, the graph applies, the judge looks at every state."""

from __future__ import annotations

from sim.graph import Graph, State
from sim.judge import AT_REST, Evaluated, Finding, Judge, endless
from sim.lasso import came_round
from sim.strategy.base import Strategy
from sim.strategy.virtual_time import VirtualTime
from sim.system import System, refuse_timed
from sim.trace import Ending, Run, Trace

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
    graph = system if isinstance(system, Graph) else Graph(system)
    return _Simulation(graph, strategy, judge or Judge(graph)).run(max_steps)


class _Simulation:
    def __init__(self, graph: Graph, strategy: Strategy, judge: Judge) -> None:
        self.graph = graph
        self.strategy = strategy
        self.judge = judge
        self.open: list[Evaluated] = [*judge.sometimes, *judge.eventually]
        """The properties that have not held yet."""

    def run(self, max_steps: int) -> Run:
        graph, strategy, judge = self.graph, self.strategy, self.judge
        pick, took, apply = strategy.pick, strategy.took, graph.apply
        if strategy.now_ms is None:
            refuse_timed(graph.system, f"the strategy {strategy.name}")
        start = strategy.begin(graph)
        trace = Trace(graph, start, slowdowns=strategy.slowdowns if isinstance(strategy, VirtualTime) else [])
        record = trace.steps.append
        state = start.state
        finding = self._look(state)
        ending = Ending.STEPS
        count = 0
        while finding is None and count < max_steps:
            action = pick(state)
            if action is None:
                ending = Ending.QUIESCENT
                finding = self._rest(state)
                break
            after = apply(state, action)
            if not action.progress or after == state:
                finding = self._rest(state)  # only here can `state` have been quiescent
                if finding is not None:
                    break
            record((strategy.now_ms, action))
            state = after
            count += 1
            took(action)
            finding = judge.judge(state)
            if self.open:
                self._note(state)
        if ending is Ending.QUIESCENT and finding is None and not graph.quiescent(state):
            ending = Ending.SCHEDULE
            finding = self._round(trace)
        if finding is not None:
            ending = Ending.VIOLATED
        trace.end = state
        still_open = {prop.name for prop in self.open}
        reached = {prop.name: prop.name not in still_open for prop in (*judge.sometimes, *judge.eventually)}
        return Run(trace, state, ending, finding, reached)

    def _look(self, state: State) -> Finding | None:
        self._note(state)
        return self.judge.judge(state)

    def _note(self, state: State) -> None:
        self.open = [prop for prop in self.open if not prop(state.locals)]

    def _round(self, trace: Trace) -> Finding | None:
        """What is wrong if the schedule ended where it could go round for ever."""
        avoided = [prop.name for prop in self.open if prop.property.kind == "eventually"]
        if not avoided:
            return None
        length = came_round(self.graph, trace.states(), [action for _, action in trace.steps])
        return Finding(avoided[0], endless(length)) if length else None

    def _rest(self, state: State) -> Finding | None:
        """What is wrong in `state` if it is quiescent."""
        if not self.graph.quiescent(state):
            return None
        finding = self.judge.judge_quiescent(state)
        if finding is not None:
            return finding
        for prop in self.open:
            if prop.property.kind == "eventually":
                return Finding(prop.name, AT_REST)
        return None
