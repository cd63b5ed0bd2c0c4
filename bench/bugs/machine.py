"""A plain Hypothesis machine on the same model: what one writes who knows nothing of schedules.

One rule takes any of the enabled actions, each step is judged, and so is coming to rest. Nothing is held
back, nothing goes on in a usual order: compare `sim.state_machine`, which does both.
"""

from __future__ import annotations

from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from sim import Graph, PropertyViolation
from sim.run.simulation import Walk
from sim.world.choice import Choice, Start
from sim.world.world import AnyWorld


class Resting:
    """The strategy that picks nothing: a run that it follows is over, and judged as it is."""

    name = "resting"
    seed = 0
    now_ms = None

    def begin(self, world: AnyWorld) -> Start[Any]:
        return world.starts()[0]

    def pick(self, at: Any) -> Choice | None:
        return None

    def took(self, choice: Choice, at: Any) -> None:
        pass


class PlainMachine(RuleBasedStateMachine):
    """Walks one system; `plain_machine` makes it."""

    graph: ClassVar[Graph]

    def __init__(self) -> None:
        super().__init__()
        self.resting = Resting()
        self.walk = Walk(self.graph, self.resting.begin(self.graph))

    @rule(pick=st.integers(0, 255))
    def act(self, pick: int) -> None:
        """Any of what can happen next; nothing, if nothing can."""
        actions = self.graph.actions(self.walk.at)
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
    return type("Plain", (PlainMachine,), {"graph": graph})
