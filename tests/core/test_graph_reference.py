"""The graph against the naive reference, state by state, over random small systems."""

from __future__ import annotations

import contextlib
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, assume, find, given, settings
from hypothesis.errors import NoSuchExample

from sim import Graph, System, check
from sim.base.values import encode
from sim.graph.state import State
from sim.graph.tabulation import Tabulation
from sim.machine.handler import Handler
from sim.machine.process import HandlerCall
from sim.machine.table import DOWN
from sim.system import links
from sim.system.declaration import Cut, Declaration
from sim.system.network import AnyOrder, ByLink, Fifo, SentForEver
from tests.counts import examples
from tests.reference import FAILED, Explored, Reference
from tests.systems import PRIMITIVES, primitives_of, systems, walk

STATES_MAX = 400
QUIET = list(HealthCheck)
GENERATE: dict[str, Any] = {
    "deadline": None,
    "phases": [Phase.generate],
    "suppress_health_check": QUIET,
    "derandomize": True,
    "database": None,
}


def _deep(value: Any) -> Any:
    """A state of a graph in the form of the reference, which does not say where in a file something broke."""
    locals_, net, budgets, cuts = value
    plain = tuple((s, (f[0], f[1].partition(" (")[0]) if s == FAILED else f, *rest) for s, f, *rest in locals_)
    return (plain, net, budgets, cuts)


def _plain(state: Any) -> Any:
    locals_ = tuple((*local[:3], *["updated"] * local.updated) for local in state.locals)
    return (locals_, state.net, state.budgets, state.cuts)


def difference(system: System) -> str | None:
    """In what graph and check differ from the reference; None if in nothing. Assumes a small system."""
    graph = Graph(system)
    found = walk(graph, STATES_MAX)
    if found is None:
        assume(False)
    assert found is not None
    expected = Reference(system).explore(2 * STATES_MAX)
    if expected is None:
        return "the reference has many more states"
    theirs = {encode(_plain(state)): state for state in expected.states}
    ours = {encode(_deep(graph.value(state))): state for state in found}
    if len(ours) != len(found):
        return "two states of the graph have one value"
    if ours.keys() != theirs.keys():
        return f"{len(ours)} states, the reference has {len(theirs)}"
    for code, state in ours.items():
        mine = Counter((action.progress, encode(_deep(graph.value(after)))) for action, after in found[state])
        other = Counter((step.progress, encode(_plain(step.after))) for step in expected.edges[theirs[code]])
        if mine != other:
            return f"other steps in {graph.value(state)}"
        if len({action.code for action, _ in found[state]}) != len(found[state]):
            return f"two actions of one encoding in {graph.value(state)}"
    return _check_differs(system, expected)


def _check_differs(system: System, expected: Explored) -> str | None:
    result = check(system, cycles=False)
    if not expected.failures:
        counts = (len(expected.states), expected.generated, expected.depth)
        ours = (result.states, result.generated, result.depth)
        return None if result.verdict == "ok" and ours == counts else f"{result.verdict} {ours}, not ok {counts}"
    if result.finding is None:
        return f"check finds nothing of {expected.failures}"
    kind = result.finding.property
    if kind == "watch":
        kind = "waiting" if "at the end it still waits" in result.finding.message else "violated"
    if len(result.path) != expected.failures.get(kind):
        return f"{kind} after {len(result.path)}, not as in {expected.failures}"
    shorter = len(result.path) > min(expected.failures.values())
    return f"a shorter counterexample than {kind} is in {expected.failures}" if shorter else None


@given(systems())
@settings(max_examples=examples(120), deadline=None, suppress_health_check=QUIET, derandomize=True, database=None)
def test_graph_and_check_agree_with_the_reference_in_every_state_and_step(system: System) -> None:
    assert difference(system) is None


class AllMet(Exception):
    """Nothing is left to look for."""


def test_the_random_systems_come_to_use_every_primitive() -> None:
    used: set[str] = set()

    @given(systems())
    @settings(max_examples=2_000, **GENERATE)
    def collect(system: System) -> None:
        graph = Graph(system)
        found = walk(graph, STATES_MAX // 4)
        if found is not None:
            used.update(primitives_of(graph, found))
        if used >= PRIMITIVES:
            raise AllMet

    with contextlib.suppress(AllMet):
        collect()
    assert PRIMITIVES - used == set()


def _heads_of_all(self: Any, net: Any) -> Any:
    return [e for queue in net for e in dict.fromkeys(queue[1:])]


def _replace_nothing(self: Any, net: Any, sent: Any) -> Any:
    return tuple(sorted((*net, *sent), key=self._order.__getitem__))


def _keep_all(self: Any, process: int, before: Any, outputs: Any, state: str, move: Any = "") -> Any:
    return self.handlers[process].down(before.fields, state)


def _apply_without_budget(self: Any, state: State, action: Any, apply: Any = Graph.apply) -> State:
    return apply(self, state, action)._replace(budgets=state.budgets)


def _crash_in_the_middle_only(self: Any, action: Any, state: str, windows: Any = Tabulation.windows) -> Any:
    return windows(self, action, state)[1:]


def _consume_nothing(self: Any, *given: Any, make: Any = Tabulation._action, **options: Any) -> Any:
    return make(self, *given, **{**options, "consumed": False})


def _never_less(self: Any, fields: Any, move: str) -> Any:
    return fields


def _bound_lost(self: Any, fields: Any, state: str = DOWN, down: Any = Handler.down) -> Any:
    start = dict(zip(self.fields, self.initial_fields, strict=True))
    local = down(self, fields, state)
    kept = zip(self.fields, local.fields, strict=True)
    return local._replace(fields=tuple(start[n] if n in self.table.left.values() else v for n, v in kept))


def _struck_for_free(
    self: Any, process: Any, before: Any, outputs: Any, state: Any, move: Any = "", struck: Any = Tabulation.struck
) -> Any:
    return struck(self, process, before, outputs, state)


class _ForgetfulStep(HandlerCall):
    def __init__(self, timers: Any, script: Any, sender: str) -> None:
        super().__init__((), script, sender)


SABOTEURS: dict[str, tuple[Any, str, Any]] = {
    "a fifo network that delivers out of order": (Fifo, "heads", _heads_of_all),
    "a fifo network whose queues are stacks": (
        Fifo,
        "add",
        lambda self, net, sent: tuple((q[0], *sent, *q[1:]) for q in net),
    ),
    "a multiset that is a set": (AnyOrder, "add", SentForEver.add),
    "a set that consumes": (SentForEver, "deliver", lambda self, net, e: tuple(x for x in net if x != e)),
    "a newer message that stands beside the older one": (ByLink, "add", _replace_nothing),
    "links that all are as the first one": (
        Declaration,
        "kind_of",
        lambda self, a, b: links.kind_of(self.network, "p0", "p0"),
    ),
    "cuts that work both ways when they should not": (
        Cut,
        "holds",
        lambda self, a, b: self._crosses(a, b) or self._crosses(b, a),
    ),
    "cuts that hold nothing": (Cut, "holds", lambda self, a, b: False),
    "durable writes that a crash loses": (Tabulation, "struck", _keep_all),
    "budgets that are never spent": (Graph, "apply", _apply_without_budget),
    "no crash before the first output": (Tabulation, "windows", _crash_in_the_middle_only),
    "deliveries that consume nothing": (Tabulation, "_action", _consume_nothing),
    "timers that every handler forgets": (
        __import__("sim.machine.handler", fromlist=["HandlerCall"]),
        "HandlerCall",
        _ForgetfulStep,
    ),
    "bounds that are never reached": (Handler, "begun", _never_less),
    "bounds that a crash forgets": (Handler, "down", _bound_lost),
    "moves that do not count when a crash strikes in them": (Tabulation, "struck", _struck_for_free),
    "monitors that hear nothing": (Tabulation, "notify", lambda self, locals_, heard: locals_),
}


WHERE: dict[str, dict[str, Any]] = {
    "a fifo network that delivers out of order": {"networks": ["fifo"], "faults": ""},
    "a fifo network whose queues are stacks": {"networks": ["fifo"], "faults": ""},
    "a multiset that is a set": {"networks": ["any"]},
    "a set that consumes": {"networks": ["set"]},
    "a newer message that stands beside the older one": {"networks": ["by link"]},
    "links that all are as the first one": {"networks": ["by link"]},
    "cuts that work both ways when they should not": {"faults": "cut:1@oneway"},
    "cuts that hold nothing": {"faults": "cut:1@left"},
    "durable writes that a crash loses": {"faults": "crash:1"},
    "no crash before the first output": {"faults": "crash:1"},
    "bounds that a crash forgets": {"faults": "crash:1"},
    "moves that do not count when a crash strikes in them": {"faults": "crash:1"},
}
"""In which systems to look for it, where it would be rare in all of them."""


@pytest.mark.parametrize("what", SABOTEURS)
def test_each_planted_fault_in_the_graph_is_noticed(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    target, name, broken = SABOTEURS[what]
    narrowed = systems(**WHERE.get(what, {}))
    monkeypatch.setattr(target, name, broken)
    try:
        find(narrowed, _differs, settings=settings(max_examples=800, **GENERATE))
    except NoSuchExample:
        pytest.fail(f"{what}: not noticed")


def _differs(system: System) -> bool:
    try:
        return difference(system) is not None
    except (ValueError, IndexError):  # broken so badly that it does not even run
        return True
