"""Any system as a rule-based state machine of Hypothesis."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NoReturn

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from sim.graph.action import Action, Kind
from sim.graph.graph import Graph
from sim.graph.judge import Finding, Judge
from sim.run.simulation import Walk
from sim.strategy.canonical import Canonical
from sim.system.system import System
from sim.testing.told import PropertyViolation

DRAIN_STEPS = 1_000
PICKS = st.integers(0, 255)


class SystemMachine(RuleBasedStateMachine):
    """A run of one system; each rule takes one of the enabled actions of its family. Judged after every
    step; `teardown` lets everything come to rest in the canonical order and judges that too.

    A test with rules or checks of its own subclasses this (or what `state_machine` makes): it sets
    `graph` and `judge`, calls `take` in its rules, and overrides `observe` and `at_rest`.
    """

    graph: ClassVar[Graph]
    judge: ClassVar[Judge]
    model: ClassVar[str] = ""
    config: ClassVar[Mapping[str, Any]] = {}
    drain_steps: ClassVar[int] = DRAIN_STEPS

    def __init__(self) -> None:
        super().__init__()
        self.begin(0)

    def begin(self, start: int) -> None:
        """Begin in the `start`-th way, counted round."""
        starts = self.graph.starts()
        self.usual = Canonical()
        self.walk = Walk(self.graph, self.usual.begin(self.graph, starts[start % len(starts)]), self.judge)
        self.held: int | None = None
        """An envelope that is held back."""
        self._look()

    def take(self, action: Action) -> None:
        """Take one enabled action. Raises `PropertyViolation`."""
        self._step(action)
        self._look()

    def family(self, action: Action) -> str:
        """The rule that takes this action: its verb, but for deliveries out of turn (`reorder`), under a
        domain fault (`under_agent_timeout`), and whatever a crash cuts short (`crash`)."""
        if action.window is not None:
            return "crash"
        if action.reordered:
            return "reorder"
        if action.fault is not None:
            return f"under_{action.fault.kind}"
        return action.kind.value

    def observe(self, action: Action) -> None:
        """Called after every step with what was taken, to be overridden."""

    def at_rest(self) -> None:
        """Called when an example has come to rest, to be overridden."""

    def violated(self, message: str, prop: str = "exactly_once") -> NoReturn:
        """Say that a property of the test's own does not hold. Raises `PropertyViolation`."""
        self.walk.finding = Finding(prop, message)
        self._judge()
        raise AssertionError

    def teardown(self) -> None:
        if self.walk.finding is not None:
            return
        self.held = None
        for _ in range(self.drain_steps):
            action = self._usual()
            if action is None or self._goes_nowhere(action):
                self.at_rest()
                if action is None:
                    self.walk.follow(self.usual)  # there is nothing left to follow: it judges the rest
                else:
                    self.walk.finding = self.walk.rest()
                self._judge()
                return
            self._step(action)

    def _goes_nowhere(self, action: Action) -> bool:
        """Whether all that is left can go on for ever, and changes nothing: a timer that is armed again."""
        state = self.walk.state
        return not self.graph.changes(state, action) and self.graph.quiescent(state)

    def _step(self, action: Action) -> None:
        state = self.walk.state
        if self.walk.take(action):
            self.usual.follow(state, action)
            self.observe(action)
        self._judge()

    def _usual(self) -> Action | None:
        """What the canonical schedule would take next, were it not for what is held back."""
        due = (paths[0] for paths in self.usual.due(self.walk.state))
        return next((action for action in due if not self._is_held(action)), None)

    def _is_held(self, action: Action) -> bool:
        """A delivery of what is held back; a second copy of it may pass."""
        held = self.held is not None and action.delivered and action.consumed == self.held
        return held and self.graph.network.every(self.walk.state.net).count(action.consumed) == 1

    def _look(self) -> None:
        """The enabled actions by family, in the order of their canonical encodings."""
        self._judge()
        self.enabled: dict[str, list[Action]] = {}
        for action in self.graph.actions(self.walk.state):
            if self._is_held(action):
                continue
            self.enabled.setdefault(self.family(action), []).append(action)

    def _judge(self) -> None:
        if self.walk.finding is not None:
            raise PropertyViolation(self.walk.run(), self.model, self.config)

    @rule(steps=st.integers(1, 8))
    def usual_steps(self, steps: int) -> None:
        """What the canonical schedule takes next, so that deviations meet every part of a run."""
        for _ in range(steps):
            action = self._usual()
            if action is None:
                break
            self._step(action)
        self._look()

    @precondition(lambda self: self.walk.state.net)
    @rule(pick=PICKS)
    def hold_back(self, pick: int) -> None:
        """One message in flight waits from now on, until another does or `let_go` comes: so may everything
        else overtake it, and a race of depth two is a matter of few rules."""
        flying = sorted(self.graph.network.distinct(self.walk.state.net), key=self._name_of)
        self.held = flying[pick % len(flying)]
        self._look()

    @precondition(lambda self: self.held is not None)
    @rule()
    def let_go(self) -> None:
        """What was held back may be delivered."""
        self.held = None
        self._look()

    def _name_of(self, envelope: int) -> str:
        return str(self.graph.tables.address_of(envelope))


def state_machine(
    system: System | Graph,
    *,
    model: str = "",
    config: Mapping[str, Any] | None = None,
    drain_steps: int = DRAIN_STEPS,
) -> type[SystemMachine]:
    """A class of machines that walk `system`, with a rule for each family of actions that it has: deliver,
    reorder, drop, duplicate, fire, move, crash, restart, cut, heal, `under_` a domain fault;
    `usual_steps` takes a few canonical steps, `hold_back` and `let_go` keep a message for later.

    Use its `TestCase`, or `run_state_machine_as_test`; settings are yours. A failure is a
    `PropertyViolation` that tells the finding, the schedule and what replays it: with `model` and
    `config` (a module and what its `system` is called with) a scenario file. At the end of each example
    at most `drain_steps` further steps are taken towards quiescence.
    """
    graph = system if isinstance(system, Graph) else Graph(system)
    body: dict[str, Any] = {name: _rule(name) for name in _families(graph.system)}
    if len(graph.starts()) > 1:
        body["start"] = _start
    body |= {"graph": graph, "judge": Judge(graph), "drain_steps": drain_steps, "model": model}
    body["config"] = dict(config or {})
    return type("SystemMachine", (SystemMachine,), body)


def _families(system: System) -> list[str]:
    """The rules that some action of `system` may need."""
    kinds = [entry.kind for entry in system.budget if entry.count != 0]
    tables = [type(process).table for process in system.processes.values()]
    found = [Kind.DELIVER.value]
    if any(table.timers for table in tables):
        found.append(Kind.FIRE.value)
    if any(table.must or table.may for table in tables):
        found.append(Kind.MOVE.value)
    found += [f"under_{kind}" if kind in system.own_kinds else kind for kind in dict.fromkeys(kinds)]
    found += [recovery.value for fault, recovery in _RECOVERIES.items() if fault in kinds]
    return found


_RECOVERIES = {Kind.CRASH.value: Kind.RESTART, Kind.CUT.value: Kind.HEAL}


def _rule(name: str) -> Callable[..., None]:
    def take(self: SystemMachine, pick: int) -> None:
        actions = self.enabled[name]
        self.take(actions[pick % len(actions)])

    take.__name__ = take.__qualname__ = name
    return precondition(lambda self: name in self.enabled)(rule(pick=PICKS)(take))


@initialize(pick=PICKS)
def _start(self: SystemMachine, pick: int) -> None:
    self.begin(pick)
