"""Any system as a rule-based state machine of Hypothesis."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NoReturn

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from sim.faults.catalogue import OF_THE_GRAPH, TABLE
from sim.run.simulation import Walk
from sim.strategy.canonical import Canonical
from sim.testing.told import PropertyViolation
from sim.world.choice import MESSAGE, Choice, Subject
from sim.world.finding import Finding
from sim.world.world import AnyWorld, Walkable, world_of

DRAIN_STEPS = 1_000
PICKS = st.integers(0, 255)


class SystemMachine(RuleBasedStateMachine):
    """A run of one system; each rule takes one of the enabled actions of its family. Judged after every
    step; `teardown` lets everything come to rest in the canonical order and judges that too.

    A test with rules or checks of its own subclasses this (or what `state_machine` makes): it sets
    `world`, calls `take` in its rules, and overrides `observe` and `at_rest`.
    """

    world: ClassVar[AnyWorld]
    model: ClassVar[str] = ""
    config: ClassVar[Mapping[str, Any]] = {}
    drain_steps: ClassVar[int] = DRAIN_STEPS

    def __init__(self) -> None:
        super().__init__()
        self.begin(0)

    def begin(self, start: int) -> None:
        """Begin in the `start`-th way, modulo their number."""
        starts = self.world.starts()
        self.usual = Canonical()
        self.walk = Walk(self.world, self.usual.begin(self.world, starts[start % len(starts)]))
        self.held: Subject | None = None
        """A message that is held back."""
        self._look()

    def take(self, choice: Choice) -> None:
        """Take one enabled choice. Raises `PropertyViolation`."""
        self._step(choice)
        self._look()

    def family(self, choice: Choice) -> str:
        """The rule that takes this choice: its verb, but for deliveries out of turn (`reorder`), under a
        domain fault (`under_agent_timeout`), and whatever a crash cuts short (`crash`)."""
        address = choice.address
        if address.crashing is not None:
            return "crash"
        if address.reordered:
            return "reorder"
        if address.under is not None:
            return f"under_{choice.strikes[0]}"
        return address.verb

    def observe(self, choice: Choice) -> None:
        """Called after every step with the action taken; meant to be overridden."""

    def at_rest(self) -> None:
        """Called when an example has come to rest; meant to be overridden."""

    def violated(self, message: str, prop: str = "exactly_once") -> NoReturn:
        """Report that one of the test's own properties does not hold. Raises `PropertyViolation`."""
        self.walk.finding = Finding(prop, message)
        self._judge()
        raise AssertionError

    def teardown(self) -> None:
        if self.walk.finding is not None:
            return
        self.held = None
        for _ in range(self.drain_steps):
            choice = self._usual()
            if choice is None or self._goes_nowhere(choice):
                self.at_rest()
                if choice is None:
                    self.walk.follow(self.usual)  # nothing is left to follow: this judges the state at rest
                else:
                    self.walk.finding = self.walk.rest()
                self._judge()
                return
            self._step(choice)

    def _goes_nowhere(self, choice: Choice) -> bool:
        """Whether all that is left can continue forever without any change: a timer that is armed again."""
        at = self.walk.at
        return not self.world.changes(at, choice) and self.world.quiescent(at)

    def _step(self, choice: Choice) -> None:
        before = self.walk.at
        if self.walk.take(choice):
            self.usual.follow(before, choice, self.walk.at)
            self.observe(choice)
        self._judge()

    def _usual(self) -> Choice | None:
        """What the canonical schedule would take next if nothing were held back."""
        due = (paths[0] for paths in self.usual.due(self.walk.at))
        return next((choice for choice in due if not self._is_held(choice)), None)

    def _is_held(self, choice: Choice) -> bool:
        """A delivery of the held message; a second copy of it may pass."""
        if self.held is None or choice.takes != self.held or not (choice.mover and choice.ends):
            return False
        return sum(pending.subject == self.held for pending in self.usual.pending()) == 1

    def _look(self) -> None:
        """The enabled actions by family, in the order of their canonical encodings."""
        self._judge()
        self.enabled: dict[str, list[Choice]] = {}
        for choice in sorted(self.world.enabled(self.walk.at), key=lambda choice: choice.code):
            if self._is_held(choice):
                continue
            self.enabled.setdefault(self.family(choice), []).append(choice)

    def _judge(self) -> None:
        if self.walk.finding is not None:
            raise PropertyViolation(self.walk.run(), self.model, self.config)

    @rule(steps=st.integers(1, 8))
    def usual_steps(self, steps: int) -> None:
        """What the canonical schedule takes next, so that deviations occur in every part of a run."""
        for _ in range(steps):
            choice = self._usual()
            if choice is None:
                break
            self._step(choice)
        self._look()

    @precondition(lambda self: self._flying())
    @rule(pick=PICKS)
    def hold_back(self, pick: int) -> None:
        """One message in flight waits from now on, until another does or `let_go` is called: everything else may
        overtake it, so a race of depth two takes few rules."""
        flying = self._flying()
        self.held = flying[pick % len(flying)]
        self._look()

    @precondition(lambda self: self.held is not None)
    @rule()
    def let_go(self) -> None:
        """The held message may be delivered again."""
        self.held = None
        self._look()

    def _flying(self) -> list[Subject]:
        """The messages in flight, each once, in an order that is the same in every process."""
        found = {p.subject: str(p.address) for p in self.usual.pending() if p.subject[0] == MESSAGE}
        return sorted(found, key=lambda subject: (found[subject], subject))


def state_machine(
    system: Walkable,
    *,
    model: str = "",
    config: Mapping[str, Any] | None = None,
    drain_steps: int = DRAIN_STEPS,
) -> type[SystemMachine]:
    """A class of machines that walk `system`, with a rule for each family of actions that it has: deliver,
    reorder, drop, duplicate, fire, move, crash, restart, cut, heal, `under_` a domain fault;
    `usual_steps` takes a few canonical steps, `hold_back` and `let_go` keep a message for later.

    Use its `TestCase`, or `run_state_machine_as_test`, with any settings. A failure is a
    `PropertyViolation` that states the finding, the schedule and what replays it: with `model` and
    `config` (a module and what its `system` is called with) a scenario file. At the end of each example
    at most `drain_steps` further steps are taken towards quiescence.
    """
    world = world_of(system)
    body: dict[str, Any] = {name: _rule(name) for name in _families(world)}
    if len(world.starts()) > 1:
        body["start"] = _start
    body |= {"world": world, "drain_steps": drain_steps, "model": model}
    body["config"] = dict(config or {})
    return type("SystemMachine", (SystemMachine,), body)


def _families(world: AnyWorld) -> list[str]:
    """The rules that some choice may need."""
    kinds = dict.fromkeys(entry.kind for entry in world.faults if entry.count != 0)
    struck = [kind if kind in OF_THE_GRAPH else f"under_{kind}" for kind in kinds]
    return [*world.verbs, *struck, *(row.ends for row in TABLE if row.kind in kinds and row.ends)]


def _rule(name: str) -> Callable[..., None]:
    def take(self: SystemMachine, pick: int) -> None:
        actions = self.enabled[name]
        self.take(actions[pick % len(actions)])

    take.__name__ = take.__qualname__ = name
    return precondition(lambda self: name in self.enabled)(rule(pick=PICKS)(take))


@initialize(pick=PICKS)
def _start(self: SystemMachine, pick: int) -> None:
    self.begin(pick)
