"""Machines: processes that crash and come back together; and how many may be down at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample
from hypothesis.stateful import run_state_machine_as_test

from sim import (
    Crashed,
    Fault,
    Message,
    ModelError,
    Monitor,
    Process,
    PropertyViolation,
    Replay,
    Restarted,
    System,
    VirtualTime,
    always,
    always_eventually,
    check,
    cut,
    eventually,
    fuzz,
    simulate,
    sometimes,
    state_machine,
)
from sim.checker.compiled.layout import TOGETHER, TOGETHER_BEHIND
from sim.checker.compiled.mirror import Mirror
from sim.fuzzer.compiled.facts import FactBook
from sim.graph.definition import Definition
from sim.graph.machines import Machines
from sim.world.address import parse_address
from tests.core.test_graph_reference import difference
from tests.counts import examples
from tests.explore import test_compiled, test_compiled_fuzz
from tests.systems import systems
from tests.walk import Walk

PLANS = (
    "crash:1@host", "crash:1", "crash:1@host after Ping", "crash:1@host, crash:1@p0", "crash:2@host after kept",
    "crash:1@host for good", "crash:1@p1, drop:1", "crash:1@host, agent_timeout:1", "crash:1@host for good, crash:1@p0",
)  # fmt: skip
LATE = ("crash:1@host, reorder:1",)
QUIET: dict[str, Any] = {"deadline": None, "suppress_health_check": list(HealthCheck), "derandomize": True}


def _bare(system: System) -> System:
    return system.with_(faults="")


@st.composite
def hosted(draw: Any, plans: tuple[str, ...] = PLANS, down: tuple[int | None, ...] = (None, None, 1)) -> System:
    """A small system with a machine."""
    reorders = any("reorder" in plan for plan in plans)
    system: System = draw(systems(("fifo",), faults="drop:1") if reorders else systems(faults="drop:1"))
    members = draw(st.sampled_from([("p0", "p1"), ("p1", "p0"), ("p1",)]))
    plan, most = draw(st.sampled_from(plans)), draw(st.sampled_from(down))
    return _bare(system).with_(machines={"host": members}, down_max=most).with_(faults=plan)


@st.composite
def limited(draw: Any) -> System:
    """A small system in which only so many may be down."""
    plans = ("crash:2", "crash:unlimited@p0, crash:1@p1", "crash:1, crash:1@p0 for good", "crash:2 after kept, cut:1")
    return draw(systems(faults=draw(st.sampled_from(plans)))).with_(down_max=draw(st.sampled_from([0, 1, 1, 2])))


@given(hosted())
@settings(max_examples=examples(80), database=None, **QUIET)
def test_graph_and_reference_agree(system: System) -> None:
    assert difference(system) is None


@given(limited())
@settings(max_examples=examples(50), database=None, **QUIET)
def test_graph_and_reference_agree_on_how_many_are_down(system: System) -> None:
    assert difference(system) is None


@st.composite
def judged(draw: Any, some: st.SearchStrategy[System]) -> System:
    """One of these systems with properties, some of them judged on cycles; what comes to be there is seen in what is found."""
    system: System = draw(some)
    one, other = draw(st.sampled_from([*system.processes])), draw(st.sampled_from([*system.processes]))
    properties = (
        always("one is up", lambda p, q: p.up or q.up, reads=(one, other)),
        sometimes("down", lambda p: not p.up, reads=(one,)),
        eventually("calm", lambda p: getattr(p, "x", 0) == 0, reads=(one,)),
        always_eventually("up again", lambda p: p.up, reads=(other,)),
    )
    chosen = draw(st.lists(st.sampled_from(range(len(properties))), unique=True))
    return system.with_(properties=[properties[i] for i in chosen])


@given(judged(st.one_of(hosted(), limited())))
@settings(max_examples=examples(300), database=None, **QUIET)
def test_both_engines_of_the_check_agree(system: System) -> None:
    test_compiled.agree(system, max_states=400)


def _misled(change: Any) -> Any:
    number = Mirror.number

    def wrong(self: Mirror, action: Any) -> int:
        if action not in self._numbers:
            effect = change(action.effect)
            self._numbers[action] = number(self, replace(action, effect=effect) if effect else Unfelled(action))
        return self._numbers[action]

    return wrong


class Unfelled:
    """An action in which no machine crashes, as the walk is told."""

    def __init__(self, action: Any) -> None:
        self._action = action

    fells = ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._action, name)


LIES: dict[str, tuple[str, Any, Any]] = {
    "the others on a machine stay": ("number", _misled(lambda effect: effect._replace(others=())), hosted(PLANS[:1])),
    "what is inside of a machine stays": ("number", _misled(lambda effect: None), hosted(PLANS[:1])),
    "machines never crash": ("_strikes_in", lambda self, here: strikes_in(self, here) % TOGETHER, hosted(PLANS[:1])),
    "a machine counts as many": ("_machine", lambda self, process: -1, hosted(PLANS[4:5], down=(1,))),
    "no crash where the machine takes a message": (
        "_strikes_in", lambda self, here: strikes_in(self, here) % (2 * TOGETHER), hosted(PLANS[:1])
    ),
    "no crash where a message overtakes": (
        "_strikes_in", lambda self, here: strikes_in(self, here) % TOGETHER_BEHIND, hosted(LATE)
    ),
}  # fmt: skip
strikes_in = Mirror._strikes_in


@pytest.mark.parametrize("what", LIES)
def test_a_planted_divergence_is_caught(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, broken, some = LIES[what]
    monkeypatch.setattr(Mirror, name, broken)

    def differs(system: System) -> bool:
        try:
            test_compiled.agree(system, max_states=400)
        except AssertionError:
            return True
        return False

    try:
        often: dict[str, Any] = {"max_examples": 300, "phases": [Phase.generate], "database": None}
        find(some, differs, settings=settings(**often, **QUIET))
    except NoSuchExample:
        pytest.fail(f"{what}: not noticed")


@given(
    judged(st.one_of(hosted(), limited())),
    st.sampled_from(sorted(test_compiled_fuzz.STRATEGIES)),
    st.integers(0, 2**64 - 1),
)
@settings(max_examples=examples(300), database=None, **QUIET)
def test_both_engines_of_the_fuzz_agree(system: System, strategy: str, seed: int) -> None:
    test_compiled_fuzz.agree(system, schedules=10, seed=seed, strategy=strategy, max_steps=100)


SABOTEURS: dict[str, tuple[Any, str, Any, Any]] = {
    "others stay up": (Machines, "_felled", lambda self, mine, for_good: [], hosted(PLANS[2:3])),
    "no crash inside of a handler": (Machines, "_struck", lambda self, *given: [], hosted(PLANS[:1])),
    "what is inside of it stays": (Definition, "_without_inner", lambda self, machine, net: net, hosted(PLANS[:1])),
    "any number may be down": (Definition, "is_full", lambda self, locals_: False, limited()),
}


@pytest.mark.parametrize("what", SABOTEURS)
def test_another_rule_is_noticed(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    target, name, broken, some = SABOTEURS[what]
    monkeypatch.setattr(target, name, broken)
    try:
        often: dict[str, Any] = {"max_examples": 300, "phases": [Phase.generate], "database": None}
        find(some, lambda system: difference(system) is not None, settings=settings(**often, **QUIET))
    except NoSuchExample:
        pytest.fail(f"{what}: not noticed")


def _without_others_arms(self: FactBook, action: Any) -> list[list[int]]:
    return moving(self, replace(action, others_arms=()))


moving, is_sure, ways_of = FactBook._moving, FactBook._is_sure, FactBook._ways
FUZZ_LIES: dict[str, tuple[str, str, Any]] = {
    "only one process moves": ("pctcp", "_moving", lambda self, action: moving(self, action)[:1]),
    "the others begin no timer": ("virtual_time", "_moving", _without_others_arms),
    "a machine that comes back is always another": (
        "uniform", "_is_sure", lambda self, action: bool(action.machine) or is_sure(self, action)
    ),
    "the ways to come back are alone": (
        "pos", "_ways", lambda self, action: () if action.machine else ways_of(self, action)
    ),
    "no crash is that of a machine's own handler": (
        "virtual_time", "_code", lambda self, code: self._codes.setdefault(code + b"%d" % len(self._codes), len(self._codes))
    ),
}  # fmt: skip


class Napper(Process):
    """Naps for as long as it happens to, twice, and begins anew when it comes back."""

    states = ("up",)
    timers = ("nap",)
    transitions = ({"trigger": "nap", "source": "up", "dest": None, "after": "on_start"},)
    naps: int = 0
    dream: int = 0

    def on_start(self) -> None:
        if self.naps < 3:
            self.naps += 1
            self.arm("nap", (1, 9))
        self.dream = self.choose(0, 1)

    def on_restart(self) -> None:
        self.on_start()


@pytest.mark.parametrize("what", FUZZ_LIES)
def test_a_strategy_that_is_told_something_wrong_of_machines_is_caught(
    what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    strategy, name, broken = FUZZ_LIES[what]
    plan = "crash:unlimited@host" if strategy == "uniform" else "crash:3@host"
    nappers = System({"p": Napper(), "q": Napper()}, machines={"host": ("q", "p")}, faults=plan)
    arguments = nappers, strategy, range(25), 40
    plain = test_compiled_fuzz.plain_paths(*arguments)
    assert test_compiled_fuzz.paths(*arguments) == plain
    monkeypatch.setattr(FactBook, name, broken)
    assert test_compiled_fuzz.paths(*arguments) != plain


# --- a page cache and a database on one machine -----------------------------------------------------------------------


class Page(Message):
    pass


class Sync(Message):
    pass


class Synced(Message):
    ok: bool


class DiskError(Fault):
    kind: ClassVar[str] = "disk_error"


class Kernel(Process):
    """A page cache above a disk. After an error it calls the page clean, although it is not on disk."""

    states = ("up",)
    durable = ("disk",)
    transitions = (
        {"trigger": Page, "source": "up", "dest": None, "after": "cache"},
        {"trigger": Sync, "source": "up", "dest": None, "after": "flush"},
        {"trigger": DiskError, "source": "up", "dest": None, "after": "fail"},
    )

    disk: bool = False
    dirty: bool = False

    def cache(self) -> None:
        self.dirty = True

    def flush(self) -> None:
        if self.dirty:
            self.disk = True
        self.dirty = False
        self.send("database", Synced(True))

    def fail(self) -> None:
        self.dirty = False
        self.send("database", Synced(False))


class Database(Process):
    """Confirms once a sync succeeds. Where one failed it panics or, as it was, tries again."""

    states = ("writing", "confirmed", "panicked")
    transitions = (
        {"trigger": Synced, "source": "writing", "dest": "confirmed", "conditions": "ok"},
        {"trigger": Synced, "source": "writing", "dest": "panicked", "conditions": "panics"},
        {"trigger": Synced, "source": "writing", "dest": None, "after": "sync"},
        {"trigger": Synced, "source": ("confirmed", "panicked"), "dest": None},
    )

    panics: bool

    def on_start(self) -> None:
        self.send("kernel", Page())
        self.sync()

    def on_restart(self) -> None:
        self.on_start()

    def sync(self) -> None:
        self.send("kernel", Sync())


class Lost(Monitor):
    states = ("hearing",)
    transitions = (
        {"trigger": Crashed, "source": "hearing", "dest": None, "after": "note"},
        {"trigger": Restarted, "source": "hearing", "dest": None, "after": "note"},
    )
    heard: tuple[str, ...] = ()

    def note(self, emission: Crashed | Restarted) -> None:
        self.heard = (*self.heard, f"{type(emission).__name__} {emission.process}")


def storage(faults: str, panics: bool = True, **parts: Any) -> System:
    def is_on_disk(database: Any, kernel: Any) -> bool:
        return database.state != "confirmed" or kernel.disk

    return System(
        {"kernel": Kernel(), "database": Database(panics=panics)},
        network="fifo",
        machines={"host": ("kernel", "database")},
        carriers={DiskError: (Sync,)},
        faults=faults,
        properties=(
            always("what is confirmed is on disk", is_on_disk),
            sometimes("confirmed", lambda database: database.state == "confirmed"),
        ),
        **parts,
    )


def test_a_process_is_accused_only_where_it_crashes_without_its_machine() -> None:
    agree = test_compiled.agree
    assert agree(storage("crash:1@host")).verdict == "ok"
    assert agree(storage("crash:1@host, disk_error:1")).verdict == "ok"
    assert agree(storage("crash:1")).verdict == "ok"  # without a target: what can go by itself
    assert agree(storage("crash:1@host, disk_error:1", panics=False)).verdict == "violated"
    assert agree(storage("crash:1@kernel")).verdict == "violated"  # the cache is lost, and the database does not know
    assert check(storage("crash:1@host"), engine="compiled").engine == "compiled"


def test_a_machine_crashes_and_comes_back_as_one() -> None:
    walk = Walk(storage("crash:1@host", monitors={"lost": Lost()}))
    assert [a for a in walk.enabled() if "crash" in a] == [
        "crash host",
        "deliver database->kernel Page crashing with host at once",
    ]
    walk.take("deliver database->kernel Page crashing with host at once")
    assert {walk.view(name).state for name in ("kernel", "database")} == {"(off)"}
    assert not walk.view("kernel").up
    assert walk.enabled() == ["restart host"]
    walk.take("restart host")
    assert walk.view("lost").heard == ("Crashed kernel", "Crashed database", "Restarted kernel", "Restarted database")
    assert walk.view("database").state == "writing"


def test_what_is_found_replays_and_is_told() -> None:
    system = storage("crash:1@host, disk_error:1", panics=False)
    result = check(system)
    assert result.counterexample is not None
    run = simulate(system, Replay(result.counterexample.schedule))
    assert run.finding == result.finding
    for address in ("restart host crashing after Sync", "deliver a->b Ask crashing with host for good after Store"):
        assert str(parse_address(address)) == address


@pytest.mark.parametrize("strategy", ["uniform", "pctcp", "pos", "swarm", "timed"])
@pytest.mark.parametrize("engine", ["plain", "compiled"])
def test_the_fuzz_knows_machines(strategy: Any, engine: Any) -> None:
    system = storage("crash:1@host")
    assert fuzz(system, schedules=50, strategy=strategy, engine=engine).verdict == "ok"
    wrong = storage("crash:1@kernel")
    assert fuzz(wrong, schedules=300, strategy=strategy, engine=engine).found


def test_a_run_on_virtual_time_strikes_a_machine_and_goes_on() -> None:
    run = simulate(storage("crash:1@host after Page"), VirtualTime(seed=1))
    assert run.finding is None
    texts = [str(action.address) for _, action in run.trace.steps]
    assert "deliver database->kernel Page crashing with host at once" in texts
    assert "restart host" in texts
    assert run.trace.tell().events


def test_one_at_once() -> None:
    system = System({"p": Kernel(), "q": Kernel()}, faults="crash:unlimited", down_max=1)
    assert check(system).states == 3
    assert check(system.with_(down_max=2)).states == check(system.with_(down_max=None)).states == 4
    assert check(system.with_(down_max=0)).states == 1
    for engine in ("plain", "compiled"):
        both = always("one is up", lambda p, q: p.up or q.up)
        assert check(system.with_(properties=(both,)), engine=engine).verdict == "ok"


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        (
            {"machines": {"host": "kernel"}},
            "machine 'host' holds 'kernel' (str); expected names of processes, ('p', 'q')",
        ),
        ({"machines": {"host": ("kernal",)}}, "machine 'host': unknown process 'kernal' (did you mean 'kernel'?)"),
        ({"machines": {"kernel": ("kernel",)}}, "machine 'kernel': a machine requires a name of its own"),
        ({"machines": {"a": ("kernel",), "b": ("kernel",)}}, "machine 'b': kernel is on 'a' already, and only once"),
        ({"machines": ("kernel",)}, "machines is ('kernel',) (tuple); expected a mapping, such as machines={...}"),
        ({"down_max": -1}, "down_max is -1 (int); expected a number, 0 or more"),
        ({"faults": "crash:1@hots"}, "unknown process 'hots' (did you mean 'host'?)"),
    ],
)
def test_a_mistake_is_told(parts: dict[str, Any], told: str) -> None:
    with pytest.raises(ModelError) as error:
        storage("").with_(**parts)
    assert told in str(error.value)


def test_hypothesis_finds_what_a_crash_without_the_machine_does() -> None:
    ours = settings(max_examples=200, database=None, phases=[Phase.generate], stateful_step_count=20, **QUIET)
    run_state_machine_as_test(state_machine(storage("crash:2@host")), settings=ours)
    with pytest.raises(PropertyViolation, match="what is confirmed is on disk"):
        run_state_machine_as_test(state_machine(storage("crash:1@kernel")), settings=ours)


def test_what_the_compiled_engine_cannot_walk_goes_on_plain(capsys: pytest.CaptureFixture[str]) -> None:
    many = {f"c{i}": cut({"kernel"}) for i in range(32)}
    cuts = storage("").with_(machines={}, cuts=many, properties=())
    result = check(cuts.with_(faults="cut:1@c1 for good"), engine="compiled")
    assert (result.engine, result.stopped) == ("plain", "")
    assert "more than 31 cuts" in capsys.readouterr().err
    assert check(cuts.with_(faults="cut:1@c1"), engine="compiled").engine == "compiled"
