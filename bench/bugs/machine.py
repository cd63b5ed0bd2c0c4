"""A plain Hypothesis machine on the same model: what one writes who knows nothing of schedules.

One rule takes any of the enabled actions, each step is judged, and so is coming to rest. Nothing is held
back, nothing goes on in a usual order: compare `sim.state_machine`, which does both.
"""

from __future__ import annotations

from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from sim import Action, Graph, PropertyViolation, State
from sim.graph.graph import Start
from sim.graph.judge import Judge
from sim.run.simulation import Walk


class Resting:
    """The strategy that picks nothing: a run that it follows is over, and judged as it is."""

    name = "resting"
    seed = 0
    now_ms = None

    def begin(self, graph: Graph) -> Start:
        return graph.starts()[0]

    def pick(self, state: State) -> Action | None:
        return None

    def took(self, action: Action) -> None:
        pass


class PlainMachine(RuleBasedStateMachine):
    """Walks one system; `plain_machine` makes it."""

    graph: ClassVar[Graph]
    judge: ClassVar[Judge]

    def __init__(self) -> None:
        super().__init__()
        self.resting = Resting()
        self.walk = Walk(self.graph, self.resting.begin(self.graph), self.judge)

    @rule(pick=st.integers(0, 255))
    def act(self, pick: int) -> None:
        """Any of what can happen next; nothing, if nothing can."""
        actions = self.graph.actions(self.walk.state)
        if actions:
            self.walk.take(actions[pick % len(actions)])
            self._judge()

    def teardown(self) -> None:
        if self.walk.finding is None:
            self.walk.follow(self.resting)
            self._judge()

    def _judge(self) -> None:
        if self.walk.finding is not None:
            raise PropertyViolation(self.walk.run())


def plain_machine(graph: Graph) -> type[PlainMachine]:
    """A machine that walks the system of `graph`."""
    return type("Plain", (PlainMachine,), {"graph": graph, "judge": Judge(graph)})
