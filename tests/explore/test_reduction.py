"""Reduced checks: the verdicts of whole ones, orbits counted by brute force, and real schedules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.plain_paxos import Acceptor, Promise, plain_paxos
from models.two_phase_commit import ResourceManager, TransactionManager
from models.two_phase_commit import system as two_phase_commit
from sim import DEFER, IGNORE, Graph, Message, Process, System, always, check, cut, eventually, sometimes, within
from sim.checker.compiled import turns
from sim.checker.plain import Limits, PlainWalk
from sim.checker.reduction import universe
from sim.checker.reduction.alike import alike
from sim.checker.reduction.images import Images
from sim.checker.reduction.reduction import Reduction, steps_of
from sim.checker.reduction.representative import Representative
from sim.checker.reduction.settle import Settling
from sim.checker.reduction.universe import ROWS_MAX
from sim.checker.result import CheckResult
from sim.graph.judge import Judge
from sim.scenario import load_target
from tests.counts import examples
from tests.persisting import begun
from tests.symmetric import orbits, symmetric_systems
from tests.systems import systems

STATES_MAX = 600
ENGINES = ("plain", "compiled")


def reduced(system: System, engine: Any = "plain", **options: Any) -> CheckResult:
    result = check(system, engine=engine, reduce=True, **options)
    assert result.reduced is not None
    if result.reduced.applied:
        replayed(result)
    return result


def replayed(result: CheckResult) -> None:
    """The schedule of a finding is one of the graph, and ends in the finding."""
    if result.begin is None or result.finding is None or result.graph is None:
        return
    graph = Graph(result.graph.system)
    begin = next(start for start in graph.starts() if start.choices == result.begin.choices)
    state = begin.place
    for taken in result.path:
        action = next(a for a in graph.enabled(state) if a.code == taken.code)
        state = graph.apply(state, action)
    judge = Judge(graph)
    found = [judge.judge(state)]
    if graph.quiescent(state):
        found += [judge.judge_quiescent(state)]
    assert result.finding in found


def whole(system: System) -> tuple[CheckResult, PlainWalk]:
    walk = PlainWalk(Graph(system), Limits(STATES_MAX))
    walk.run()
    walk.result.states = len(walk.parents)
    return walk.result, walk


@pytest.fixture
def symmetry_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Reduction, "_make_settling", lambda _: None)


# --- orbits -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("managers", "counts"), [(1, (12, 20, 5)), (2, (34, 94, 8)), (3, (80, 318, 11)), (5, (314, 2_048, 17))]
)
def test_orbits_of_two_phase_commit_are_the_published_ones(managers: int, counts: Any, engine: Any) -> None:
    result = reduced(two_phase_commit(managers), engine)
    assert (result.states, result.generated, result.depth) == counts
    assert result.verdict == "ok"
    assert result.proved == check(two_phase_commit(managers)).proved


@pytest.mark.parametrize("managers", [1, 2, 3])
def test_orbits_of_two_phase_commit_are_those_of_brute_force(managers: int) -> None:
    system = two_phase_commit(managers)
    _, walk = whole(system)
    found = orbits(walk.graph, walk.parents, alike(system).classes)
    assert len(found) == reduced(system).states
    assert sum(found.values()) == len(walk.parents)


MET: Counter[str] = Counter()


@given(symmetric_systems())
@settings(max_examples=examples(120))
def _random_orbits(system: System) -> None:
    plain, walk = whole(system)
    if plain.verdict == "incomplete":
        return
    result = reduced(system)
    assert result.reduced is not None
    assert result.verdict == plain.verdict
    assert len(result.path) == len(plain.path)
    MET.update([system.network, *(kind for entry in system.budget for kind in [entry.kind])])
    MET.update(["applied" if result.reduced.applied else "told apart", plain.verdict])
    if plain.verdict == "ok" and len(result.reduced.off) == len(alike(system).apart):
        found = orbits(walk.graph, walk.parents, alike(system).classes)
        assert (result.states, result.depth) == (len(found), plain.depth)
        MET["fewer"] += result.states < plain.states
        MET["monitor"] += bool(system.monitors)


@pytest.mark.hypothesis
def test_orbits_of_random_systems_are_those_of_brute_force(symmetry_alone: None) -> None:
    _random_orbits()
    kinds = ("any", "fifo", "set", "crash", "drop", "duplicate", "cut", "agent_timeout", "monitor")
    for needed in (*kinds, "fewer", "applied", "told apart", "ok", "violated"):
        assert MET[needed] > 2, needed


class Friendly(Process):
    """Chooses a friend among its peers, once: a state is a graph in which everybody points at one or nobody."""

    states = ("alone", "fond")
    must = ("choose_friend",)
    transitions = ({"trigger": "choose_friend", "source": "alone", "dest": "fond", "after": "pick"},)

    peers: frozenset[str]
    friend: str | None = None

    def pick(self) -> None:
        self.friend = self.choose(*self.peers)


def friends(count: int) -> System:
    names = tuple(f"f{i}" for i in range(count))
    people = {name: Friendly(peers=frozenset(names) - {name}) for name in names}
    return System(people, interchangeable=(names,))


@pytest.mark.parametrize("engine", ENGINES)
def test_members_of_one_colour_that_differ_are_tried_in_every_order(engine: Any) -> None:
    system = friends(4)
    _, walk = whole(system)
    found = orbits(walk.graph, walk.parents, alike(system).classes)
    assert (len(walk.parents), sum(found.values())) == (4**4, 4**4)
    assert reduced(system, engine).states == len(found) == 19


def test_without_colours_the_canonical_form_is_the_same_only_slower(
    symmetry_alone: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Representative, "colours", lambda self, state: [0] * self._members)
    assert reduced(two_phase_commit(3)).states == 80
    assert reduced(friends(3)).states == len(orbits(*_states(friends(3))))


def _states(system: System) -> tuple[Graph, Any, list[tuple[str, ...]]]:
    _, walk = whole(system)
    return walk.graph, walk.parents, alike(system).classes


def test_a_canonical_form_that_does_not_try_ties_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Representative, "_differ", lambda *_: False)
    assert reduced(friends(4)).states > 19


def test_messages_that_keep_their_names_are_caught(symmetry_alone: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Images, "envelope", lambda self, swap, envelope: envelope)
    result = reduced(two_phase_commit(3))
    assert result.reduced is not None
    assert not result.reduced.applied  # rows of swapped senders do not fit
    assert result.states == 288


# --- verdicts -----------------------------------------------------------------------------------------------


@given(symmetric_systems())
@settings(max_examples=examples(100))
def _same_verdict(system: System) -> None:
    plain, _ = whole(system)
    if plain.verdict != "incomplete":
        result = reduced(system)
        assert result.reduced is not None
        assert result.verdict == plain.verdict
        assert result.states <= plain.states or plain.verdict == "violated"
        MET["partial order"] += "partial order" in result.reduced.applied


@pytest.mark.hypothesis
def test_verdicts_with_and_without_are_the_same_on_random_symmetric_systems() -> None:
    _same_verdict()
    assert MET["partial order"] > 10


@given(begun(made=symmetric_systems()))
@settings(max_examples=examples(100))
def test_verdicts_are_the_same_where_symmetric_systems_begin_where_they_were_persisted(system: System) -> None:
    plain, _ = whole(system)
    if plain.verdict != "incomplete":
        assert reduced(system).verdict == plain.verdict


@given(st.one_of(systems(), begun()))
@settings(max_examples=examples(100))
def test_verdicts_with_and_without_are_the_same_on_random_systems(system: System) -> None:
    plain, _ = whole(system)
    if plain.verdict != "incomplete":
        assert reduced(system).verdict == plain.verdict


@given(st.one_of(symmetric_systems(), begun(made=symmetric_systems())))
@settings(max_examples=30)
def test_both_engines_come_to_the_same_reduced_walk(system: System) -> None:
    plain = reduced(system, max_states=STATES_MAX)
    for exact in (False, True):
        compiled = reduced(system, "compiled", exact=exact, max_states=STATES_MAX)
        assert _summary(compiled) == _summary(plain)


def _summary(result: CheckResult) -> dict[str, Any]:
    names = ("states", "generated", "depth", "outside", "verdict", "stopped", "finding", "proved", "reduced")
    path = [str(action.address) for action in result.path]
    return {**{name: getattr(result, name) for name in names}, "path": path, "calls": result.handler_calls}


# --- who tells members apart --------------------------------------------------------------------------------


def _off(system: System) -> str:
    result = reduced(system)
    assert result.reduced is not None
    assert result.verdict == check(system).verdict
    return "; ".join([*result.reduced.applied, *result.reduced.off])


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("member", ["rm1", "rm2", "rm3"])
def test_a_property_of_one_member_is_judged_for_all_that_may_be_in_its_place(member: str, engine: Any) -> None:
    sane = two_phase_commit(3)
    never = always("it never commits", lambda rm: rm.state != "committed", reads=[member])
    result = reduced(sane.with_(properties=[never]), engine)
    assert result.finding is not None
    assert result.finding.property == "it never commits"
    assert member in result.finding.message
    unreduced = check(sane.with_(properties=[never]))
    assert len(result.path) == len(unreduced.path)
    assert result.counterexample is not None
    assert unreduced.counterexample is not None
    assert not result.counterexample.complete, "a reduced check does not claim a shortest one"
    assert unreduced.counterexample.complete


@pytest.mark.parametrize("member", ["rm1", "rm2", "rm3"])
def test_a_property_that_looks_for_a_name_in_a_field_is_judged_in_every_turn(member: str) -> None:
    early = always("it is not the first", lambda manager: manager.prepared != {member})
    result = reduced(two_phase_commit(3).with_(properties=[early]))
    assert result.finding is not None
    assert result.path[0].process == member
    seen = sometimes("it is the first", lambda manager: manager.prepared == {member})
    assert reduced(two_phase_commit(3).with_(properties=[seen])).verdict == "ok"


def test_judging_one_state_of_an_orbit_would_miss_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        Reduction, "judge", property(lambda self: Judge(self.graph), lambda self, _: None), raising=False
    )
    names, verdicts = ("rm1", "rm2", "rm3"), []
    for member in names:

        def alone(manager: Any, *rms: Any, member: str = member) -> bool:
            working = [name for name, rm in zip(names, rms, strict=True) if rm.state == "working"]
            return manager.state == "undecided" and manager.prepared == {member} and len(working) == 2

        never = always("it is not alone", lambda *views: not alone(*views), reads=["manager", *names])
        verdicts.append(check(two_phase_commit(3).with_(properties=[never]), reduce=True).verdict)
    assert sorted(verdicts) == ["ok", "ok", "violated"]


def test_a_fault_for_one_member_leaves_the_others_interchangeable() -> None:
    said = _off(two_phase_commit(4).with_(faults="crash:1@rm2"))
    assert said.startswith("symmetry of rm1, rm3 and rm4; rm1 and rm2 are told apart by the fault crash:1@rm2")
    assert "symmetry of rm1, rm2 and rm3" in _off(two_phase_commit(3).with_(faults="drop:1@Commit"))


def test_a_cut_through_the_members_tells_them_apart_if_it_may_come() -> None:
    cuts = {"some": cut({"rm1", "rm2"}), "all": cut({"manager"})}
    system = two_phase_commit(3).with_(cuts=cuts)
    assert "symmetry of rm1, rm2 and rm3" in _off(system)
    assert "rm1 and rm3 are told apart by the cut some" in _off(system.with_(faults="cut:1"))
    assert "symmetry of rm1 and rm2" in _off(system.with_(faults="cut:1"))


def test_a_bound_that_looks_at_one_member_tells_it_apart() -> None:
    bound = within("rm1 works", lambda rm1: rm1.state != "prepared")
    assert "told apart by within rm1 works" in _off(two_phase_commit(3).with_(within=bound))


class Favouring(TransactionManager):
    """Takes the word of the first for that of all."""

    def all_prepared(self) -> bool:
        return "rm1" in self.prepared


class Hasty(ResourceManager):
    """The second gives up by force."""

    def tell(self) -> None:
        if self.name != "rm2":
            super().tell()


@pytest.mark.parametrize(
    ("process", "said"),
    [
        ({"manager": Favouring(managers=frozenset({"rm1", "rm2"}))}, "what manager does in state undecided by itself"),
        ({"rm1": Hasty(), "rm2": Hasty()}, "what rm1 does in state working by itself"),
    ],
)
def test_a_handler_that_tells_members_apart_costs_the_symmetry_and_no_verdict(process: Any, said: str) -> None:
    sane = two_phase_commit(2)
    system = sane.with_(processes={**sane.processes, **process})
    result = reduced(system)
    assert result.reduced is not None
    assert result.reduced.off[0].endswith(said)
    assert (result.verdict, result.states) == (check(system).verdict, check(system).states)


def test_with_an_eventually_nothing_is_reduced() -> None:
    never = eventually("decided", lambda manager: manager.state != "undecided")
    system = two_phase_commit(2).with_(properties=[never])
    result = reduced(system)
    assert result.reduced is not None
    assert result.reduced.applied == []
    assert result.reduced.off == ["eventually decided is judged on all states"]
    assert (result.states, result.verdict) == (check(system).states, check(system).verdict)


# --- what settles -------------------------------------------------------------------------------------------


class Go(Message):
    n: int = 0


class Stop(Message):
    pass


class Starter(Process):
    states = ("up",)
    letters: tuple[tuple[str, Message], ...]

    def on_start(self) -> None:
        for name, message in self.letters:
            self.send(name, message)


class Taker(Process):
    states = ("open", "shut")
    transitions = (
        {"trigger": Go, "source": "open", "dest": None, "after": "note"},
        {"trigger": Go, "source": "shut", "dest": IGNORE},
        {"trigger": Stop, "source": "open", "dest": "shut"},
        {"trigger": Stop, "source": "shut", "dest": DEFER},
    )

    met: frozenset[int] = frozenset()

    def note(self, go: Go) -> None:
        self.met |= {go.n}


class Last(Taker):
    """What comes last counts."""

    def note(self, go: Go) -> None:
        self.met = frozenset({go.n})


def post(taker: Taker, *messages: Message, **changes: Any) -> System:
    letters = tuple((name, message) for name in ("p", "q") for message in messages)
    return System({"starter": Starter(letters=letters), "p": taker, "q": taker}, **changes)


@pytest.mark.parametrize("engine", ENGINES)
def test_what_commutes_is_taken_at_once(engine: Any) -> None:
    system = post(Taker(), Go(1), Go(2))
    assert check(system).states == 16
    assert reduced(system, engine).states == 1
    assert reduced(post(Last(), Go(1), Go(2)), engine).states == check(post(Last(), Go(1), Go(2))).states


@pytest.mark.parametrize("engine", ENGINES)
def test_what_will_never_be_taken_is_forgotten(engine: Any) -> None:
    system = post(Taker(), Stop(), Stop())
    assert (check(system).states, reduced(system, engine).states) == (4, 4)
    system = System({"starter": Starter(letters=(("p", Stop()), ("p", Stop()), ("p", Go()))), "p": Taker()})
    assert (check(system).states, reduced(system, engine).states) == (5, 4)


def _missed(system: System, monkeypatch: pytest.MonkeyPatch, what: str, plant: Callable[..., Any]) -> None:
    """A violation is found with what settles, and missed with a plant in it."""
    assert check(system).verdict == "violated"
    for engine in ENGINES:
        assert reduced(system, engine).verdict == "violated"
    monkeypatch.setattr(Settling, what, plant)
    assert check(system, reduce=True).verdict == "ok"


def test_what_a_property_sees_does_not_settle(monkeypatch: pytest.MonkeyPatch) -> None:
    order = always("q is first", lambda p, q: len(p.met) <= len(q.met))
    init = Settling.__init__

    def blind(self: Any, universe: Any, seen: Any) -> None:
        init(self, universe, ())

    _missed(post(Taker(), Go(1), properties=[order]), monkeypatch, "__init__", blind)


def test_what_does_not_commute_does_not_settle(monkeypatch: pytest.MonkeyPatch) -> None:
    ends = System(
        {"starter": Starter(letters=(("p", Go(1)), ("p", Go(2)))), "p": Teller(), "q": Taker()},
        properties=[always("two is last", lambda q: 1 not in q.met)],
    )
    _missed(ends, monkeypatch, "_commutes", lambda *_: True)


class Teller(Last):
    """Tells in the end which came last."""

    must = ("tell",)
    transitions = (*Last.transitions, {"trigger": "tell", "source": "open", "dest": "shut", "after": "say"})

    def say(self) -> None:
        for n in self.met:
            self.send("q", Go(n))


class Breaking(Taker):
    """Has no row for what it ignored while it was open."""

    transitions = (
        {"trigger": Go, "source": "open", "dest": IGNORE},
        {"trigger": Stop, "source": "open", "dest": "shut"},
        {"trigger": Stop, "source": "shut", "dest": DEFER},
    )


def test_what_is_ignored_now_and_not_later_does_not_settle(monkeypatch: pytest.MonkeyPatch) -> None:
    def hasty(self: Any, here: Any, envelope: int, holds: Any) -> set[int]:
        locals_ = self._universe.locals[self._graph.tables.target[envelope]]
        return {local for local in locals_ if holds(here, local, envelope)}

    monkeypatch.setattr(Settling, "_commutes", lambda *_: True)
    _missed(post(Breaking(), Go(), Stop()), monkeypatch, "_find", hasty)


class Waiting(Taker):
    hot = ("open",)
    transitions = (
        {"trigger": Go, "source": "open", "dest": "shut"},
        {"trigger": Go, "source": "shut", "dest": IGNORE},
    )


def test_what_a_fault_can_strike_does_not_settle(monkeypatch: pytest.MonkeyPatch) -> None:
    _missed(post(Waiting(), Go(), faults="drop:1"), monkeypatch, "_can_be_struck", lambda *_: False)


# --- models -------------------------------------------------------------------------------------------------


class Amnesiac(Acceptor):
    """Promises without saying what it has accepted."""

    def promise(self, message: Any) -> None:
        self.promised = message.ballot
        self.send(self.sender, Promise(message.ballot, 0, 0))


def test_an_interrupt_while_a_reduction_is_prepared_ends_a_check(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    system = two_phase_commit(2)
    monkeypatch.setattr(Reduction, "__init__", interrupted)
    assert check(system).verdict == "ok"
    result = check(system, reduce=True)
    assert (result.verdict, result.stopped, result.states) == ("incomplete", "interrupted", 0)


@pytest.mark.parametrize("engine", ENGINES)
def test_plain_paxos_takes_fewer_states_and_its_saboteur_is_found(engine: Any) -> None:
    assert check(plain_paxos(acceptors=2)).states == 516
    alone = reduced(plain_paxos(acceptors=2).with_(interchangeable=()), engine)
    assert (alone.states, alone.verdict) == (324, "ok")
    both = reduced(plain_paxos(acceptors=2), engine)
    assert (both.states, both.verdict) == (180, "ok")
    broken = reduced(plain_paxos(acceptor=Amnesiac), engine)
    assert broken.finding is not None
    assert broken.finding.property == "agreement"


# --- the compiled walk --------------------------------------------------------------------------------------


def test_a_reduced_walk_goes_over_in_the_middle_and_comes_to_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    system = plain_paxos(acceptors=2)
    plain = _summary(reduced(system))
    for at in (1, 10, 100):
        monkeypatch.setattr("sim.checker.exhaustive.PAYS_AT", at)
        result = reduced(system, "auto")
        assert result.engine == "compiled"
        assert _summary(result) == plain


@pytest.mark.parametrize("plant", ["nothing settles", "every image is the thing itself"])
def test_a_compiled_reduction_that_is_told_something_wrong_is_caught(
    plant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = plain_paxos(acceptors=2)
    plain = reduced(system).states
    if plant == "nothing settles":
        monkeypatch.setattr(Settling, "taken", lambda *_: None)
    else:
        catch_up = turns._Things.catch_up

        def wrong(self: Any, count: int, found: Any, seen: Any) -> None:
            catch_up(self, count, [(thing, swap, thing) for thing, swap, _ in found], seen)

        monkeypatch.setattr(turns._Things, "catch_up", wrong)
    assert check(system, reduce=True, engine="compiled").states != plain


class Note(Message):
    n: int


class Hoarder(Process):
    """Keeps all that it is told, for ever."""

    states = ("open",)
    transitions = ({"trigger": Note, "source": "open", "dest": None, "after": "keep"},)

    kept: tuple[int, ...] = ()

    def on_start(self) -> None:
        for n in range(2):
            self.send("hoarder", Note(n))

    def keep(self, note: Note) -> None:
        self.kept += (note.n,)


def test_what_could_grow_without_end_is_given_up_while_it_is_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pairs are looked at first come, first served: one line of growth alone would come to 500 notes at once."""
    monkeypatch.setattr(universe, "ROWS_MAX", 1_000)
    graph = Graph(System({"hoarder": Hoarder()}))
    with pytest.raises(universe.TooManyRows):
        universe.Universe(graph, lambda *_: None)
    kept = [len(graph.tables.view(local).kept) for local in range(len(graph.tables.locals))]
    assert 5 < max(kept) < 12


def test_preparing_costs_no_more_than_a_short_walk(monkeypatch: pytest.MonkeyPatch) -> None:
    """What could happen in principle may be far more than what does."""
    monkeypatch.setattr("sim.checker.reduction.universe.ROWS_SMALL", 3)
    monkeypatch.setattr("sim.checker.reduction.reduction.ROWS_SMALL", 3)
    monkeypatch.setattr("sim.checker.reduction.reduction.steps_of", lambda _: 5)
    result = check(load_target("models.paxos", {"clients": "1"}).system, reduce=True)
    assert result.verdict == "ok"
    assert result.reduced is not None
    assert any(
        "more than 8 pairs of a local value and a message, and the walk is short" in why for why in result.reduced.off
    )
    assert steps_of(load_target("models.two_phase_commit", {}).system) < ROWS_MAX
    assert steps_of(load_target("models.consensus", {}).system) == ROWS_MAX
