"""Rolling updates: a process becomes one of another class, with its durable fields."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from sim import (
    Crashed,
    Message,
    ModelError,
    Monitor,
    Process,
    Replay,
    Restarted,
    System,
    VirtualTime,
    always,
    check,
    fuzz,
    simulate,
    sometimes,
)
from sim.fuzzer.compiled import facts
from sim.fuzzer.compiled.facts import FactBook
from sim.graph.action import Kind
from sim.machine.handler import Handler, Local
from tests.core.test_graph_reference import difference
from tests.counts import examples
from tests.explore import test_compiled, test_compiled_fuzz
from tests.systems import _process_class, systems
from tests.walk import Walk

PLANS = (
    "update:1@p0", "update:1", "update:2", "update:unlimited", "update:1@p0, crash:1@p0", "update:1, crash:1 after kept",
    "update:1@p1, update:1", "update:2, drop:1", "update:1, crash:1 for good",
)  # fmt: skip
QUIET: dict[str, Any] = {"deadline": None, "suppress_health_check": list(HealthCheck), "derandomize": True}


def _grown(cls: type[Process]) -> type[Process]:
    """The same with a further durable field, which is written at each restart."""

    def on_restart(self: Any) -> None:
        self.more = min(self.more + 1, 9)
        self.x = self.more % 2

    body = {"durable": (*cls.durable, "more"), "more": 7, "on_restart": on_restart}
    return type(f"Grown_{cls.__name__}", (cls,), {**body, "__annotations__": {"more": "int"}, "__module__": __name__})


@st.composite
def updated(draw: Any, plans: tuple[str, ...] = PLANS, hosts: bool = True) -> System:
    """A small system in which processes have another version."""
    system: System = draw(systems(faults="drop:1")).with_(faults="")
    names = tuple(system.processes)
    whom = draw(st.sampled_from([("p0", "p1"), ("p0", "p1"), ("p1", "p0"), names]))
    classes = {name: _process_class(draw, f"new_{name}", names, durable_fuel=True) for name in whom}
    grown = draw(st.booleans())
    newer = {name: (_grown(cls) if grown else cls)(fuel=1) for name, cls in classes.items()}
    machines = draw(st.sampled_from([{}, {}, {"host": ("p0", "p1")}])) if hosts else {}
    return system.with_(updates=newer, machines=machines).with_(faults=draw(st.sampled_from(plans)))


@given(updated())
@settings(max_examples=examples(40), database=None, **QUIET)
def test_graph_and_reference_agree(system: System) -> None:
    assert difference(system) is None


@given(updated())
@settings(max_examples=examples(100), database=None, **QUIET)
def test_both_engines_of_the_check_agree(system: System) -> None:
    test_compiled.agree(system, max_states=400)


@given(updated(), st.sampled_from(sorted(test_compiled_fuzz.STRATEGIES)), st.integers(0, 2**64 - 1))
@settings(max_examples=examples(200), database=None, **QUIET)
def test_every_strategy_takes_updates(system: System, strategy: str, seed: int) -> None:
    test_compiled_fuzz.agree(system, schedules=10, seed=seed, strategy=strategy, max_steps=100)


def _forgets(self: Handler, old: Handler, before: Local) -> Local:
    return self.down(self.initial_fields)


def _keeps_all(self: Handler, old: Handler, before: Local) -> Local:
    values = {
        **dict(zip(self.fields, self.initial_fields, strict=True)),
        **dict(zip(old.fields, before.fields, strict=True)),
    }
    return Local("(down)", tuple(values.values()))


@pytest.mark.parametrize("broken", [_forgets, _keeps_all])
def test_another_rule_is_noticed(broken: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Handler, "taken_over", broken)
    try:
        often: dict[str, Any] = {"max_examples": 300, "phases": [Phase.generate], "database": None}
        find(updated(PLANS[:4]), lambda system: difference(system) is not None, settings=settings(**often, **QUIET))
    except NoSuchExample:
        pytest.fail("not noticed")


# --- brokers of two versions --------------------------------------------------------------------------------------------


class Snapshot(Message):
    migrated: bool
    index: frozenset[int]
    instances: frozenset[int]


class Event(Message):
    instance: int


class Broker(Process):
    """Knows no index. Takes whatever snapshot it gets or, mended, none of a newer version."""

    states = ("running",)
    durable = ("instances", "migrated")
    may = ("replicate",)
    transitions = (
        {"trigger": Event, "source": "running", "dest": None, "after": "apply"},
        {"trigger": Snapshot, "source": "running", "dest": None, "unless": "refuses", "after": "install"},
        {"trigger": Snapshot, "source": "running", "dest": None},
        {"trigger": "replicate", "source": "running", "dest": None, "conditions": "leads", "after": "send_snapshot"},
    )

    mended: bool = False
    version: int = 1
    migrated: bool = False
    sent: bool = False
    instances: frozenset[int] = frozenset()

    def apply(self, event: Event) -> None:
        self.instances |= {event.instance}

    def refuses(self, snapshot: Snapshot) -> bool:
        return self.mended and snapshot.migrated

    def install(self, snapshot: Snapshot) -> None:
        self.write(migrated=snapshot.migrated, instances=snapshot.instances)

    def leads(self) -> bool:
        return self.name == "x" and not self.sent

    def send_snapshot(self) -> None:
        self.sent = True
        self.send("y", Snapshot(self.migrated, frozenset(), self.instances))


class NewBroker(Broker):
    """Has an index, and makes it of what it finds unless that says it was made."""

    states = Broker.states
    durable = ("instances", "migrated", "index")
    may = Broker.may
    transitions = Broker.transitions
    version: int = 2
    index: frozenset[int] = frozenset()

    def on_restart(self) -> None:
        if not self.migrated:
            self.write(index=self.instances, migrated=True)

    def apply(self, event: Event) -> None:
        self.write(instances=self.instances | {event.instance}, index=self.index | {event.instance})

    def refuses(self, snapshot: Snapshot) -> bool:
        return False

    def install(self, snapshot: Snapshot) -> None:
        index = snapshot.index if snapshot.migrated else snapshot.instances
        self.write(migrated=True, instances=snapshot.instances, index=index)

    def send_snapshot(self) -> None:
        self.sent = True
        self.send("y", Snapshot(self.migrated, self.index, self.instances))


class User(Process):
    states = ("starting", "done")
    must = ("start",)
    transitions = ({"trigger": "start", "source": "starting", "dest": "done", "after": "begin"},)

    def begin(self) -> None:
        for broker in ("x", "y"):
            self.send(broker, Event(1))


class Lives(Monitor):
    states = ("hearing",)
    transitions = (
        {"trigger": Crashed, "source": "hearing", "dest": None, "after": "note"},
        {"trigger": Restarted, "source": "hearing", "dest": None, "after": "note"},
    )
    heard: tuple[str, ...] = ()

    def note(self, emission: Crashed | Restarted) -> None:
        self.heard = (*self.heard, f"{type(emission).__name__} {emission.process}")


def rolling(mended: bool = False, faults: str = "update:2", **parts: Any) -> System:
    def has_its_index(*brokers: Any) -> bool:
        return all(not b.up or b.version == 1 or b.index == b.instances for b in brokers)

    return System(
        {"x": Broker(mended=mended), "y": Broker(mended=mended), "user": User()},
        network="fifo",
        faults=faults,
        updates={"x": NewBroker(mended=mended), "y": NewBroker(mended=mended)},
        properties=(
            always("a new broker has its index", has_its_index, reads=("x", "y")),
            sometimes("both are new", lambda x, y: x.version == y.version == 2),
        ),
        **parts,
    )


@pytest.mark.parametrize("engine", ["plain", "compiled"])
def test_mixed_versions_are_checked(engine: Any) -> None:
    result = check(rolling(), engine=engine)
    assert result.finding is not None
    assert result.finding.property == "a new broker has its index"
    run = simulate(rolling(), Replay([str(action.address) for action in result.path]))
    assert run.finding == result.finding
    assert check(rolling(mended=True), engine=engine).verdict == "ok"
    assert check(rolling(faults=""), engine=engine).finding is not None  # none is ever new


def test_an_update_keeps_what_is_durable_and_nothing_else() -> None:
    walk = Walk(rolling(faults="update:2", monitors={"lives": Lives()}))
    walk.take("move user.start", "deliver user->x Event(instance=1)", "move x.replicate")
    assert walk.view("x").sent
    walk.take("update x")
    new = {"mended": False, "version": 2, "migrated": True, "sent": False}
    assert walk.view("x").fields() == {**new, "instances": {1}, "index": {1}}
    assert walk.view("lives").heard == ("Crashed x", "Restarted x")
    assert "update x" not in walk.enabled()  # there is no third version
    assert "update y" in walk.enabled()


def test_a_crash_in_an_update_leaves_the_new_version_down() -> None:
    walk = Walk(rolling(faults="update:1@x, crash:1"))
    walk.take("move user.start", "deliver user->x Event(instance=1)", "update x crashing at once")
    assert (walk.view("x").state, walk.view("x").index) == ("(down)", frozenset())
    walk.take("restart x")
    assert walk.view("x").index == {1}


def test_the_fuzz_and_a_run_on_virtual_time_update() -> None:
    assert fuzz(rolling(), schedules=500, seed=1).found
    run = simulate(rolling(faults="update:1@x"), VirtualTime(seed=1))
    assert next(str(action.address) for _, action in run.trace.steps) == "update x"
    assert "Broker" in str(run.trace.tell().diagrams)


class Forgetful(Process):
    states = ("running",)
    durable = ("migrated",)
    migrated: str = ""


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ({"updates": {"x": Forgetful()}}, "updates: x: Forgetful has no durable field 'instances'; declare it"),
        ({"updates": {"x": Broker()}}, "updates: x becomes "),
        ({"updates": {"z": NewBroker()}}, "updates: unknown process 'z'"),
        ({"updates": {}}, "fault 'update:2': this system declares no updates at all"),
        ({"faults": "update:1@user"}, "fault 'update:1@user': this system declares no updates of user"),
    ],
)
def test_a_mistake_is_told(parts: dict[str, Any], told: str) -> None:
    with pytest.raises(ModelError) as error:
        rolling().with_(**parts)
    assert told in str(error.value)


# --- the compiled fuzz --------------------------------------------------------------------------------------------------


class Napper(Process):
    """Naps for as long as it happens to."""

    states = ("up",)
    timers = ("nap",)
    transitions = ({"trigger": "nap", "source": "up", "dest": None, "after": "on_start"},)
    naps: int = 0

    def on_start(self) -> None:
        if self.naps < 3:
            self.naps += 1
            self.arm("nap", (1, 9))

    def on_restart(self) -> None:
        self.on_start()


class Dreamer(Napper):
    """Dreams too, by itself."""

    may: tuple[str, ...] = ("dream",)
    transitions = (*Napper.transitions, {"trigger": "dream", "source": "up", "dest": None, "after": "dreams"})
    dreams_had: int = 0

    def dreams(self) -> None:
        self.dreams_had = min(self.dreams_had + 1, 3)


class Driven(Napper):
    """Has to."""

    must = ("dream",)
    transitions = (*Napper.transitions, {"trigger": "dream", "source": "up", "dest": None})


def nappers(new: Process, old: Process | None = None) -> System:
    return System({"p": old or Napper(), "q": Napper()}, updates={"p": new}, faults="update:1")


def _unarmed(self: FactBook, action: Any) -> list[list[int]]:
    return moving(self, replace(action, arms=()) if action.kind is Kind.UPDATE else action)


moving = FactBook._moving
LIES: dict[str, tuple[str, Any, str, Any]] = {
    "it naps no more": ("timed", FactBook, "_moving", _unarmed),
    "a plan strikes elsewhere": ("virtual_time", facts, "_ENTRIES", {}),
}


@pytest.mark.parametrize("what", LIES)
def test_a_strategy_that_is_told_something_wrong_of_updates_is_caught(
    what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    strategy, target, name, broken = LIES[what]
    arguments = nappers(Dreamer()), strategy, range(60), 40
    plain = test_compiled_fuzz.plain_paths(*arguments)
    assert any("update p" in step for path in plain for step in path)
    assert test_compiled_fuzz.paths(*arguments) == plain
    monkeypatch.setattr(target, name, broken)
    assert test_compiled_fuzz.paths(*arguments) != plain


def test_what_one_version_must_do_and_the_other_may_goes_on_plain(capsys: pytest.CaptureFixture[str]) -> None:
    assert fuzz(nappers(Dreamer()), schedules=20, engine="compiled").engine == "compiled"
    assert fuzz(nappers(Dreamer(), Driven()), schedules=20, engine="compiled").engine == "plain"
    told = "sim: the plain engine goes on: p must dream in one version, and may in the other\n"
    assert capsys.readouterr().err == told


def test_who_was_updated_naps_on_when_it_comes_back_with_its_machine() -> None:
    system = System(
        {"p": Napper(), "q": Napper()},
        updates={"q": Dreamer()},
        machines={"host": ("p", "q")},
        faults="update:1@q, crash:1@host",
    )
    run = simulate(system, Replay(["update q", "crash host", "restart host", "fire q.nap"]))
    assert run.finding is None
    assert run.trace.tell().events
