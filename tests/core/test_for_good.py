"""Faults that stay: a process that crashes for good, a cut that never heals."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from sim import Crashed, Message, Monitor, Process, Replay, System, VirtualTime, always, check, cut, fuzz, simulate
from sim.graph.definition import Definition
from sim.world.address import parse_address
from sim.world.story import Fate
from tests.core.test_graph_reference import difference
from tests.counts import examples
from tests.explore import test_compiled, test_compiled_fuzz
from tests.systems import systems
from tests.walk import Walk

PLANS = (
    "crash:1 for good",
    "crash:1@p0 for good",
    "crash:1@p1 for good after Ping",
    "crash:1 for good, crash:1",
    "crash:1@p0 for good, drop:1@Pong",
    "crash:1@p0 for good after kept, crash:1@p1",
    "crash:unlimited@p1 for good, duplicate:1",
    "cut:1 for good",
    "cut:1@oneway for good, crash:1@p0",
    "cut:1@left for good, cut:1",
    "cut:1@left for good after Ping, agent_timeout:1",
)
QUIET: dict[str, Any] = {"deadline": None, "suppress_health_check": list(HealthCheck), "derandomize": True}


@st.composite
def lasting(draw: Any, plans: tuple[str, ...] = PLANS) -> System:
    """A small system in which something may be struck for good."""
    plan = draw(st.sampled_from(plans))
    networks = ["any", "fifo"] if "duplicate" in plan else ["any", "fifo", "set"]
    return draw(systems(networks=networks, faults=plan))


@given(lasting())
@settings(max_examples=examples(80), database=None, **QUIET)
def test_graph_and_reference_agree(system: System) -> None:
    assert difference(system) is None


@given(lasting())
@settings(max_examples=examples(25), database=None, **QUIET)
def test_both_engines_of_the_check_agree(system: System) -> None:
    test_compiled.agree(system, max_states=400)


@given(lasting(), st.sampled_from(sorted(test_compiled_fuzz.STRATEGIES)), st.integers(0, 2**64 - 1))
@settings(max_examples=examples(60), database=None, **QUIET)
def test_both_engines_of_the_fuzz_agree(system: System, strategy: str, seed: int) -> None:
    test_compiled_fuzz.agree(system, schedules=10, seed=seed, strategy=strategy, max_steps=100)


SABOTEURS: dict[str, tuple[Any, str, Any, tuple[str, ...]]] = {
    "what is in flight to nobody stays": (Definition, "_arriving", lambda self, locals_, net, cuts: net, PLANS),
    "a cut for good holds nothing": (Definition, "crosses", lambda self, number, envelope: False, PLANS[7:8]),
}


@pytest.mark.parametrize("what", SABOTEURS)
def test_another_rule_is_noticed(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    target, name, broken, plans = SABOTEURS[what]
    monkeypatch.setattr(target, name, broken)
    try:
        some: dict[str, Any] = {"max_examples": 500, "phases": [Phase.generate], "database": None}
        find(lasting(plans), lambda system: difference(system) is not None, settings=settings(**some, **QUIET))
    except NoSuchExample:
        pytest.fail(f"{what}: not noticed")


# --- two-phase commit: it blocks ------------------------------------------------------------------------------------


class Prepare(Message):
    pass


class Vote(Message):
    yes: bool


class Decision(Message):
    commit: bool


class Ask(Message):
    pass


class Coordinator(Process):
    """Must decide, once all have voted or one has voted no. A restarted one tells again what it decided, or asks again."""

    states = ("idle", "collecting", "decided")
    hot = ("idle", "collecting")
    must = ("begin",)
    durable = ("decision",)
    transitions = (
        {"trigger": "begin", "source": "idle", "dest": "decided", "conditions": "has_decided", "after": "tell"},
        {"trigger": "begin", "source": "idle", "dest": "collecting", "after": "prepare"},
        {"trigger": Vote, "source": "collecting", "dest": "decided", "unless": "yes", "after": "abort"},
        {"trigger": Vote, "source": "collecting", "dest": "decided", "conditions": "is_last", "after": "commit"},
        {"trigger": Vote, "source": "collecting", "dest": None, "after": "note"},
        {"trigger": Vote, "source": ("idle", "decided"), "dest": None},
    )

    decision: str = ""
    votes: frozenset[str] = frozenset()

    def has_decided(self) -> bool:
        return self.decision != ""

    def prepare(self) -> None:
        for name in ("p", "q"):
            self.send(name, Prepare())

    def is_last(self) -> bool:
        return {*self.votes, self.sender} == {"p", "q"}

    def note(self) -> None:
        self.votes |= {self.sender}

    def commit(self) -> None:
        self.decision = "commit"
        self.tell()

    def abort(self) -> None:
        self.decision = "abort"
        self.tell()

    def tell(self) -> None:
        for name in ("p", "q"):
            self.send(name, Decision(self.decision == "commit"))


class Participant(Process):
    """Has voted, and can do nothing but wait."""

    states = ("working", "prepared", "committed", "aborted")
    hot = ("prepared",)
    transitions = (
        {"trigger": Prepare, "source": "working", "dest": "prepared", "after": "vote"},
        {"trigger": Prepare, "source": "*", "dest": None, "after": "vote"},
        {"trigger": Decision, "source": ("working", "prepared"), "dest": "committed", "conditions": "commit"},
        {"trigger": Decision, "source": ("working", "prepared"), "dest": "aborted"},
        {"trigger": Decision, "source": ("committed", "aborted"), "dest": None},
    )

    def vote(self) -> None:
        self.send("c", Vote(self.state != "aborted"))


class Recovering(Participant):
    """Asks the other: who has not voted yet never will, and where both have voted yes there is one outcome left."""

    states = Participant.states
    hot = Participant.hot
    must = ("recover",)
    transitions = (
        *Participant.transitions,
        {"trigger": "recover", "source": "prepared", "dest": None, "unless": "has_asked", "after": "ask"},
        {"trigger": Ask, "source": "working", "dest": "aborted", "after": "answer"},
        {"trigger": Ask, "source": "*", "dest": None, "after": "answer"},
    )

    has_asked: bool = False

    def ask(self) -> None:
        self.has_asked = True
        self.send("q" if self.name == "p" else "p", Ask())

    def answer(self) -> None:
        self.send(self.sender, Decision(self.state != "aborted"))


def committing(faults: str, participant: type[Participant] = Participant) -> System:
    one = always("one outcome", lambda p, q: {p.state, q.state} != {"committed", "aborted"})
    processes = {"c": Coordinator(), "p": participant(), "q": participant()}
    return System(processes, faults=faults, properties=(one,))


@pytest.mark.parametrize("engine", ["plain", "compiled"])
@pytest.mark.parametrize("reduce", [False, True])
def test_two_phase_commit_blocks_where_the_coordinator_never_comes_back(engine: Any, reduce: bool) -> None:
    def verdict(faults: str, participant: type[Participant] = Participant) -> str:
        result = check(committing(faults, participant), engine=engine, reduce=reduce)
        return result.finding.property if result.finding is not None else result.verdict

    assert verdict("") == "ok"
    assert verdict("crash:1@c") == "ok"
    assert verdict("crash:1@c for good") == "stuck"
    assert verdict("crash:1@c for good after Prepare") == "stuck"
    assert verdict("crash:1@c for good", Recovering) == "ok"
    assert verdict("crash:1@c", Recovering) == "ok"


@pytest.mark.parametrize("strategy", ["uniform", "pctcp", "pos", "swarm", "timed", "virtual_time"])
def test_every_strategy_finds_it_and_its_schedule_replays(strategy: Any) -> None:
    system = committing("crash:1@c for good after Decision")
    result = fuzz(system, schedules=300, strategy=strategy, seed=1)
    assert [discovery.property for discovery in result.found] == ["stuck"]
    schedule = result.found[0].counterexample.schedule
    assert any("crashing for good after Decision" in str(address) for address in schedule)
    assert simulate(system, Replay(schedule)).finding is not None


def test_who_is_gone_stays_so_and_hears_nothing() -> None:
    walk = Walk(committing("crash:1@c for good, crash:1@p"))
    walk.take("move c.begin", "deliver c->p Prepare", "crash c for good", "deliver c->q Prepare")
    assert walk.view("c").state == "(gone)"
    assert not walk.view("c").up
    assert walk.graph.network.every(walk.state.net) == ()  # both votes were for nobody
    assert walk.enabled() == ["crash p"]
    assert walk.graph.quiescent(walk.state)


class Beacon(Process):
    states = ("on",)
    must = ("go",)
    transitions = ({"trigger": "go", "source": "on", "dest": None, "unless": "has_sent", "after": "act"},)
    has_sent: bool = False

    def act(self) -> None:
        self.has_sent = True
        self.send("b", Prepare())


class Far(Process):
    states = ("waiting", "reached")
    hot = ("waiting",)
    transitions = ({"trigger": Prepare, "source": "*", "dest": "reached"},)


def linked(faults: str) -> System:
    return System({"a": Beacon(), "b": Far()}, faults=faults, cuts={"link": cut({"a"}, {"b"})})


def test_a_cut_that_never_heals_loses_what_it_would_hold() -> None:
    assert check(linked("cut:1@link")).verdict == "ok"
    result = check(linked("cut:1@link for good"))
    assert result.finding is not None
    assert result.finding.property == "stuck"
    run = simulate(linked("cut:1@link for good"), Replay([str(action.address) for action in result.path]))
    assert run.finding == result.finding

    walk = Walk(linked("cut:unlimited@link, cut:1@link for good"))
    walk.take("move a.go", "cut link for good")
    assert walk.graph.network.every(walk.state.net) == ()
    assert walk.enabled() == []


def test_addresses_say_what_is_for_good() -> None:
    for text in (
        "crash c for good",
        "cut left for good",
        "deliver a->b Ask crashing for good after Store #2",
        "move a.go crashing for good at once paid by crash@a for good",
    ):
        assert str(parse_address(text)) == text
    assert not parse_address("crash c").fits(parse_address("crash c for good"))
    assert not parse_address("crash c for good").fits(parse_address("crash c"))


class Deaths(Monitor):
    states = ("counting",)
    transitions = ({"trigger": Crashed, "source": "counting", "dest": None, "after": "count"},)
    seen: int = 0

    def count(self) -> None:
        self.seen += 1


def test_monitors_hear_of_it_and_a_run_on_virtual_time_strikes_it() -> None:
    system = committing("crash:1@c for good after Decision").with_(monitors={"deaths": Deaths()})
    run = simulate(system, VirtualTime(seed=3))
    assert run.finding is not None
    assert run.trace.world.view(run.place, "deaths").seen == 1


def test_a_message_to_nobody_is_told_as_lost() -> None:
    run = simulate(
        committing("crash:1@c for good"), Replay(["move c.begin", "crash c for good", "deliver c->p Prepare"])
    )
    assert [(j.name, j.sent, j.ended) for j in run.trace.tell().journeys if j.fate is Fate.LOST] == [("Vote", 3, 3)]
