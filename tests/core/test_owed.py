"""What is owed beside a heartbeat: nothing ever comes to rest, and it is found all the same."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.stateful import run_state_machine_as_test

from sim import (
    IGNORE,
    Accepted,
    Applied,
    Counted,
    EffectLedger,
    InputLedger,
    Message,
    ModelError,
    Monitor,
    Process,
    PropertyViolation,
    Replay,
    Run,
    System,
    TableError,
    Uniform,
    check,
    fuzz,
    recovers,
    rests,
    schedules,
    simulate,
    state_machine,
)
from sim.checker.explored import WholeGraph
from sim.checker.plain import Limits
from sim.run.trace import Ending
from tests.walk import schedule


class Tick(Message):
    pass


class Order(Message):
    key: int


class Receipt(Message):
    key: int


class Clock(Process):
    """Sends itself ticks forever."""

    states = ("running",)
    transitions = ({"trigger": Tick, "source": "running", "dest": None, "after": "tick"},)
    even: bool = True

    def on_start(self) -> None:
        self.send(self.name, Tick())

    def tick(self) -> None:
        self.even = not self.even
        self.send(self.name, Tick())


class Shop(Process):
    """Waits for one receipt."""

    states = ("waiting", "served")
    hot = ("waiting",)
    transitions = ({"trigger": Receipt, "source": "waiting", "dest": "served"},)

    def on_start(self) -> None:
        self.send("store", Order(1))


class Store(Process):
    states = ("open",)
    transitions = ({"trigger": Order, "source": "open", "dest": None, "after": "serve"},)

    def serve(self, order: Order) -> None:
        self.send("shop", Receipt(order.key))


def shop(faults: str = "drop:1@Order", **more: Any) -> System:
    return System({"shop": Shop(), "store": Store(), "clock": Clock()}, faults=faults, **more)


LOST = ["drop shop->store Order(key=1)", "deliver clock->clock Tick", "deliver clock->clock Tick"]


@pytest.mark.parametrize("engine", ["plain", "compiled"])
def test_who_waits_forever_beside_a_heartbeat_is_found(engine: Any) -> None:
    result = check(shop(), engine=engine)
    assert result.finding is not None
    assert (result.finding.property, schedule(result.path)) == ("stuck", LOST)
    assert result.finding.message == (
        "shop is hot forever: the last 2 actions can be repeated forever (fair to every action that stays enabled)"
    )
    run = simulate(shop(), Replay(LOST))
    assert (run.finding, run.round) == (result.finding, 2)
    assert check(shop("none"), engine=engine).verdict == "ok"


def test_a_check_says_on_what_its_words_rest() -> None:
    sound = check(shop("none"))
    assert (sound.rests, sound.cycles, sound.judged_at) == (0, 1, "0 states at rest, 1 fair cycle looked at")
    assert "never stuck" in sound.proved
    blind = check(shop(), cycles=False)
    assert (blind.verdict, blind.cycles, blind.cycles_off) == ("ok", None, "switched off")
    assert "never stuck" not in blind.proved
    assert blind.judged_at == "0 states at rest; cycles not looked at: switched off"
    quick = check(shop("none"), max_states=10)
    assert (quick.cycles, quick.cycles_off) == (1, "")


def test_under_a_reduction_the_cycles_are_those_of_all_states() -> None:
    result = check(shop(), reduce=True)
    assert result.finding is not None
    assert schedule(result.path) == LOST
    sound = check(shop("none"), reduce=True)
    assert (sound.verdict, sound.cycles) == ("ok", 1)
    bounded = check(shop("none"), reduce=True, max_states=sound.states)
    assert bounded.verdict == "ok"
    assert (bounded.cycles is None) is (bounded.states < check(shop("none")).states)


def test_a_fuzz_finds_it_in_a_few_steps_and_a_schedule_that_goes_round_ends() -> None:
    found = fuzz(shop(), schedules=100, engine="plain")
    (least,) = (one.counterexample for one in found.found)
    assert [*least.schedule] == LOST
    assert found.steps < 5_000
    sound = fuzz(shop("none"), schedules=20, engine="plain", strategy="uniform")
    assert (sound.found, sound.cut_short, sound.coverage.round) == ([], 0, 2)
    assert sound.steps < 1_000
    declared = fuzz(shop("none", properties=(rests(),)), schedules=20, engine="plain", strategy="uniform")
    assert [one.counterexample.property for one in declared.found] == ["comes to rest"]


def test_a_system_recovers_though_its_heart_goes_on() -> None:
    assert recovers(shop("duplicate:1@Tick")).verdict == "ok"
    failed = recovers(shop("drop:1@Receipt"))
    assert failed.verdict == "violated"
    assert failed.failed is not None
    assert failed.failed.finding is not None
    assert failed.failed.finding.property == "stuck"


def test_a_run_on_its_own_goes_on_until_it_is_stopped() -> None:
    run = simulate(shop("none"), Uniform(0), max_steps=50)
    assert (run.ending, run.steps) == (Ending.STEPS, 50)
    assert run.round > 0


# --- ledgers --------------------------------------------------------------------------------------------------


class Buyer(Process):
    """Accepts two orders; the store confirms what it gets."""

    states = ("open",)

    def on_start(self) -> None:
        for key in (1, 2):
            self.emit(Accepted(key))
            self.send("shelf", Order(key))


class Shelf(Process):
    states = ("open",)
    transitions = ({"trigger": Order, "source": "open", "dest": None, "after": "put"},)

    def put(self, order: Order) -> None:
        self.emit(Applied(order.key))


def test_a_key_that_stays_owed_is_found_by_itself() -> None:
    system = System(
        {"buyer": Buyer(), "shelf": Shelf(), "clock": Clock()}, monitors={"once": EffectLedger()}, faults="drop:1@Order"
    )
    result = check(system)
    assert result.finding is not None
    assert result.finding.property == "once"
    assert result.finding.message.startswith(("1 is owed forever: the last 2 actions", "2 is owed forever"))
    assert check(system.with_(faults="none")).verdict == "ok"


class Desk(Process):
    """Counts what it gets, later."""

    states = ("open",)
    may = ("count",)
    transitions = (
        {"trigger": Order, "source": "open", "dest": None, "after": "note"},
        {"trigger": "count", "source": "open", "dest": None, "conditions": "has_any", "after": "settle"},
    )
    noted: tuple[int, ...] = ()

    def note(self, order: Order) -> None:
        self.noted += (order.key,)

    def has_any(self) -> bool:
        return bool(self.noted)

    def settle(self) -> None:
        self.emit(Counted(self.noted[0]))
        self.noted = self.noted[1:]


class Sender(Process):
    states = ("open",)

    def on_start(self) -> None:
        self.send("desk", Order(7))


def test_an_input_that_is_never_settled_is_found() -> None:
    ledger = InputLedger(process="desk", types=("Order",))
    system = System({"desk": Desk(), "sender": Sender(), "clock": Clock()}, monitors={"inputs": ledger})
    result = check(system)
    assert result.finding is not None
    assert (result.finding.property, result.finding.message[:17]) == ("inputs", "7 is owed forever")


# --- one thing after another ------------------------------------------------------------------------------------


class Server(Process):
    """Goes from one work to the next, forever."""

    states = ("busy",)
    hot: ClassVar[Any] = ("busy",)
    must = ("next",)
    transitions = ({"trigger": "next", "source": "busy", "dest": None, "after": "turn"},)
    job: int = 0

    def turn(self) -> None:
        self.job = 1 - self.job


class Careful(Server):
    """Says by key what it is about."""

    hot = ()
    owes = "jobs"
    jobs: frozenset[int] = frozenset({0})

    def turn(self) -> None:
        self.job = 1 - self.job
        self.jobs = frozenset({self.job})


class Sloppy(Careful):
    """Never lets go of the first."""

    def turn(self) -> None:
        self.job = 1 - self.job
        self.jobs = frozenset({0, self.job})


def test_hot_over_other_work_is_a_finding_that_says_how_to_mean_otherwise() -> None:
    result = check(System({"server": Server()}))
    assert result.finding is not None
    assert result.finding.message.endswith("; if each round is about other work, declare what is owed by key: `owes`")
    assert check(System({"server": Careful()})).verdict == "ok"
    owing = check(System({"server": Sloppy()}))
    assert owing.finding is not None
    assert owing.finding.message.startswith("server owes 0 forever: the last 2 actions")


def test_what_is_owed_by_key_is_owed_at_rest_too() -> None:
    class Once(Process):
        states = ("open",)
        owes = "left"
        left: tuple[str, ...] = ("letter",)

    result = check(System({"p": Once()}))
    assert result.finding is not None
    assert (result.finding.property, result.path) == ("stuck", [])
    assert "letter" in result.finding.message


def test_mistakes_in_what_is_owed_are_told() -> None:
    with pytest.raises(TableError, match="owes: unknown field 'jbos' \\(did you mean 'jobs'\\?\\)"):
        type("Wrong", (Careful,), {"owes": "jbos", "__module__": __name__})
    with pytest.raises(TableError, match=r"owes: unknown field \"\('jobs',\)\""):
        type("Wrong", (Careful,), {"owes": ("jobs",), "__module__": __name__})
    counting = type("Counting", (Server,), {"owes": "job", "__module__": __name__})
    with pytest.raises(ModelError, match="Counting owes by 'job', which is 0; expected a tuple or frozenset of keys"):
        check(System({"server": counting()}))


def test_what_is_fair_is_a_move_or_a_timer() -> None:
    with pytest.raises(
        ModelError, match=r"fair: unknown must move or timer 'server\.nxt' \(did you mean 'server\.next'\?\)"
    ):
        System({"server": Server()}, fair=("server.nxt",))
    with pytest.raises(ModelError, match="fair_choices is 1"):
        System({"server": Server()}, fair_choices=1)  # type: ignore[arg-type]
    assumed = check(System({"server": Careful()}, fair=("server.next",), fair_choices=True)).assumed
    assert (
        assumed
        == "server.next is taken again and again where it can be and every outcome of a choice comes about again and again"
    )


# --- empty words --------------------------------------------------------------------------------------------------


class Idle(Process):
    states = ("here", "there")
    hot = ("there",)
    transitions = ({"trigger": Tick, "source": "here", "dest": "there"},)


def test_where_no_row_is_taken_nothing_is_proved() -> None:
    result = check(System({"p": Idle()}))
    assert (result.verdict, result.proved) == ("ok", [])
    assert result.notes == ["no row of any process was ever taken, so nothing was shown"]


def test_a_hot_state_that_is_never_entered_is_a_note_and_so_is_a_system_in_which_nothing_was_asked() -> None:
    class Deaf(Idle):
        transitions = ({"trigger": Tick, "source": "here", "dest": IGNORE}, *Idle.transitions[1:])

        def on_start(self) -> None:
            self.send("p", Tick())

    assert check(System({"p": Deaf()})).notes == ["Deaf never comes into its hot state there"]
    assert check(System({"clock": Clock()})).notes == [
        "no state at rest and no cycle was judged: whether anything gets stuck was not asked"
    ]


def test_a_monitor_that_waits_is_owed_like_anybody() -> None:
    class Waiting(Monitor):
        states = ("open", "closed")
        hot = ("open",)
        transitions = ({"trigger": Applied, "source": "open", "dest": "closed"},)

    result = check(System({"clock": Clock()}, monitors={"end": Waiting()}))
    assert result.finding is not None
    assert (result.finding.property, result.finding.message[:18]) == ("end", "end is hot forever")


# --- wherever it is walked ----------------------------------------------------------------------------------------


def test_whole_schedules_and_a_machine_under_hypothesis_find_it() -> None:
    quiet = settings(
        database=None,
        derandomize=True,
        max_examples=200,
        phases=[Phase.generate],  # to find it is enough
        suppress_health_check=[*HealthCheck],
        deadline=None,
    )

    @given(schedules(shop()))
    @quiet
    def whole(run: Run) -> None:
        assert run.finding is None, run.finding

    with pytest.raises(AssertionError, match="shop is hot forever"):
        whole()
    with pytest.raises(PropertyViolation, match="shop is hot forever"):
        run_state_machine_as_test(state_machine(shop()), settings=quiet)


@pytest.mark.parametrize("engine", ["plain", "compiled"])
def test_a_check_whose_time_is_up_has_proved_nothing(engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (check(shop("none"), seconds=0.000_000_1).verdict) == "incomplete"
    asked: list[bool] = []

    def later(self: Limits) -> bool:
        """Time is up as soon as components are looked for."""
        asked.append(True)
        return searching

    searching = False
    usual = WholeGraph.rounds

    def rounds(self: WholeGraph, *args: Any) -> Any:
        nonlocal searching
        searching = True
        return usual(self, *args)

    monkeypatch.setattr(Limits, "time_is_up", later)
    monkeypatch.setattr(WholeGraph, "rounds", rounds)
    monkeypatch.setattr(WholeGraph, "slice", 0)
    monkeypatch.setattr("sim.checker.compiled.cycles.ArrayGraph.slice", 0)
    result = check(shop("none"), engine=engine)
    assert (result.verdict, result.cycles, result.cycles_off) == ("ok", None, "the time was up")
    assert "never stuck" not in result.proved
    assert asked
