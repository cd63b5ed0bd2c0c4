"""Where several entries of a fault budget could pay for a fault: no way to spend the budget is left out."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, assume, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from sim import Emission, Graph, Process, Replay, System, always, check, simulate
from sim.graph import budget
from sim.graph.budget import FaultBudget
from sim.world.address import parse_address
from tests.core.test_graph_reference import STATES_MAX, difference
from tests.counts import examples
from tests.reference import Reference
from tests.systems import systems

CRASHES = (
    "crash:1", "crash:2@p0", "crash:1@p1", "crash:unlimited@p1", "crash:1 after Ping", "crash:1@p0 after Ping",
    "crash:1 after kept", "crash:1@p0 after kept", "crash:1@p1 after Ping",
)  # fmt: skip
DROPS = ("drop:1", "drop:1@p0", "drop:1@p1", "drop:1@Ping", "drop:1@p0->p1", "drop:unlimited@Pong")
TIMEOUTS = ("agent_timeout:1", "agent_timeout:1@p0", "agent_timeout:1@Ping", "agent_timeout:1@p1->p0")
QUIET = list(HealthCheck)


def _place(entry: str) -> str:
    return re.sub(":(unlimited|[0-9])", "", entry)


@st.composite
def overlapping(draw: Any) -> System:
    """A small system whose budget has several entries for one thing."""
    kind = draw(st.sampled_from([CRASHES, CRASHES, DROPS, TIMEOUTS]))
    entries = draw(st.lists(st.sampled_from(kind), min_size=2, max_size=3, unique_by=_place))
    entries += draw(st.sampled_from([[], [], ["drop:1@p0"], ["crash:1@p0 after kept"]]))
    return draw(systems(networks=["any", "fifo"], faults=", ".join({_place(e): e for e in entries}.values())))


def left_out(system: System) -> str | None:
    """What is reached only where every entry that fits may pay; None if nothing is. Assumes a small system."""
    ours, every = (Reference(system, every_payer=every).explore(STATES_MAX) for every in (False, True))
    assume(ours is not None and every is not None)
    assert ours is not None
    assert every is not None
    theirs, mine = ({state._replace(budgets=()) for state in found.states} for found in (every, ours))
    if theirs - mine:
        return f"{len(theirs - mine)} states"
    return None if every.failures == ours.failures else f"{every.failures}, not {ours.failures}"


@given(overlapping())
@settings(max_examples=examples(80), deadline=None, suppress_health_check=QUIET, derandomize=True, database=None)
def test_whichever_entry_pays_nothing_more_can_be_reached(system: System) -> None:
    assert left_out(system) is None


@given(overlapping())
@settings(max_examples=examples(60), deadline=None, suppress_health_check=QUIET, derandomize=True, database=None)
def test_graph_and_reference_spend_a_budget_in_the_same_ways(system: System) -> None:
    assert difference(system) is None


def _first_pays(self: FaultBudget, fitting: Any) -> Any:
    return sorted(fitting, key=lambda i: self.entries[i].target is None)[:1]


SABOTEURS: dict[str, tuple[Any, str, Any]] = {
    "the entry with a target pays": (FaultBudget, "to_draw_on", _first_pays),
    "no entry is more particular": (budget, "is_narrower", lambda one, other: False),
    "whatever an entry is after": (budget, "is_narrower", lambda one, other: other.target in (None, one.target)),
}


@pytest.mark.parametrize("what", SABOTEURS)
def test_another_choice_of_who_pays_is_noticed(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    target, name, broken = SABOTEURS[what]
    monkeypatch.setattr(target, name, broken)
    try:
        find(
            overlapping(),
            lambda system: difference(system) is not None,
            settings=settings(
                max_examples=800,
                deadline=None,
                phases=[Phase.generate],
                suppress_health_check=QUIET,
                derandomize=True,
                database=None,
            ),
        )
    except NoSuchExample:
        pytest.fail(f"{what}: not noticed")


# --- by hand ----------------------------------------------------------------------------------------------------


class Saved(Emission):
    pass


class Saver(Process):
    states = ("fresh", "idle")
    must = ("save",)
    durable = ("saved", "returns")
    transitions = ({"trigger": "save", "source": "fresh", "dest": "idle", "unless": "has_saved", "after": "keep"},)

    saved: bool = False
    returns: int = 0

    def on_restart(self) -> None:
        if self.saved:
            self.returns += 1

    def has_saved(self) -> bool:
        return self.saved

    def keep(self) -> None:
        self.emit(Saved(), saved=True)


def saving(faults: str) -> System:
    once = always("comes back once", lambda p: p.returns < 2)
    return System({"p": Saver(), "q": Saver()}, faults=faults, properties=(once,))


@pytest.mark.parametrize(
    "faults",
    [
        "crash:1@p after Saved, crash:1@p",
        "crash:1@p, crash:1@p after Saved",
        "crash:1@p after Saved, crash:1",
        "crash:1 after Saved, crash:1@p",
        "crash:1@p after Saved, crash:unlimited",
    ],
)
def test_a_crash_in_a_window_leaves_the_crash_at_any_time_for_later(faults: str) -> None:
    result = check(saving(faults))
    assert result.verdict == "violated"
    assert result.counterexample is not None
    run = simulate(saving(faults), Replay(result.counterexample.schedule))
    assert run.finding == result.finding


def test_an_address_says_who_pays_only_where_it_matters() -> None:
    def paid(faults: str) -> set[str | None]:
        graph = Graph(saving(faults))
        (start,) = graph.initial()
        return {action.address.paid for action in graph.actions(start) if action.strikes}

    assert paid("crash:1@p after Saved, crash:1@p") == {None}
    assert paid("crash:1 after Saved, crash:1@p") == {None, "crash after Saved", "crash@p"}


def test_an_address_that_leaves_it_open_means_the_entry_written_first() -> None:
    system = saving("crash:1 after Saved, crash:1@p")
    for text, left in (("", (0, 1)), (" paid by crash@p", (1, 0)), (" paid by crash after Saved", (0, 1))):
        address = f"move p.save crashing after Saved{text}"
        assert str(parse_address(address)) == address
        assert simulate(system, Replay([address])).place.budgets == left
