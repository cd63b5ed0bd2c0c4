"""What a row may name: methods, also such as only a subclass brings, and flags as guards; and where an instance
begins."""

from __future__ import annotations

import time
from typing import Any

import pytest

from sim import IGNORE, Emission, Message, ModelError, Monitor, Process, System, TableError, check
from sim.machine.diagrams import diagrams
from tests.reference import Reference
from tests.walk import Walk


class Ask(Message):
    urgent: bool = False
    number: int = 0

    @property
    def odd(self) -> bool:
        return self.number % 2 == 1


class Noted(Emission):
    bad: bool = False


# --- guards by name ------------------------------------------------------------------------------------------


class Desk(Process):
    states = ("open", "busy", "asked")
    must = ("nap",)
    transitions = (
        {"trigger": Ask, "source": "open", "dest": "busy", "conditions": ["urgent", "awake"]},
        {"trigger": Ask, "source": "open", "dest": "asked", "conditions": "odd", "unless": "closed"},
        {"trigger": Ask, "source": "*", "dest": IGNORE},
        {"trigger": "nap", "source": "open", "dest": None, "conditions": "awake", "after": "sleep"},
    )

    awake: bool
    closed: bool = False

    def sleep(self) -> None:
        self.awake = False


class Guest(Process):
    states = ("there",)
    number: int = 0
    urgent: bool = False

    def on_start(self) -> None:
        self.send("desk", Ask(self.urgent, self.number))


def room(**desk: Any) -> System:
    return System({"desk": Desk(**desk), "a": Guest(number=1), "b": Guest(urgent=True)}, faults="crash:1@desk")


@pytest.mark.parametrize("desk", [{"awake": True}, {"awake": False}, {"awake": True, "closed": True}], ids=str)
def test_a_flag_of_the_process_or_of_the_input_is_a_guard(desk: dict[str, bool]) -> None:
    ours, theirs = check(room(**desk)), Reference(room(**desk)).explore()
    assert (ours.states, ours.generated, ours.depth) == (len(theirs.states), theirs.generated, theirs.depth)


def test_a_guard_is_read_and_not_merely_there() -> None:
    for awake, state in ((True, "busy"), (False, "open")):
        walk = Walk(room(awake=awake)).take("deliver b->desk Ask(urgent=True, number=0)")
        assert walk.view("desk").state == state
    for closed, state in ((True, "open"), (False, "asked")):
        walk = Walk(room(awake=True, closed=closed)).take("deliver a->desk Ask(urgent=False, number=1)")
        assert walk.view("desk").state == state
    assert "move desk.nap" in Walk(room(awake=True)).enabled()
    assert "move desk.nap" not in Walk(room(awake=False)).enabled()


def test_a_flag_that_is_no_bool_is_refused_as_any_wrong_value() -> None:
    with pytest.raises(ModelError, match=r"desk: Desk.awake is 1 \(int\); expected bool"):
        room(awake=1)


def test_a_monitor_may_name_flags_too() -> None:
    class Watch(Monitor):
        states = ("fine", "alarmed")
        transitions = (
            {"trigger": Noted, "source": "*", "dest": "alarmed", "conditions": "bad"},
            {"trigger": Noted, "source": "*", "dest": None},
        )

    class Talker(Process):
        states = ("on",)
        bad: bool

        def on_start(self) -> None:
            self.emit(Noted(self.bad))

    for bad, state in ((True, "alarmed"), (False, "fine")):
        assert Walk(System({"p": Talker(bad=bad)}, monitors={"m": Watch()})).view("m").state == state


@pytest.mark.parametrize(
    ("row", "fields", "line"),
    [
        ({"trigger": Ask, "conditions": "number"}, {}, "conditions: unknown method 'number'"),
        ({"trigger": Ask, "conditions": "count"}, {"count": "int"}, "conditions: unknown method 'count'"),
        ({"trigger": Ask, "unless": "urgnt"}, {}, "unless: unknown method 'urgnt'"),
        ({"trigger": "go", "conditions": "urgent"}, {}, "conditions: unknown method 'urgent'"),
        ({"trigger": Ask, "after": "urgent"}, {}, "after: unknown method 'urgent'"),
        (
            {"trigger": Ask, "conditions": "urgent"},
            {"urgent": "bool"},
            "guard 'urgent' is a field of Wrong and of Ask; name a method that says which",
        ),
    ],
)
def test_what_is_no_flag_is_no_guard(row: dict[str, Any], fields: dict[str, str], line: str) -> None:
    go = {"trigger": "go", "source": "on", "dest": None}
    body = {"states": ("on",), "must": ("go",), "transitions": ({"source": "on", "dest": None, **row}, go)}
    given: dict[str, Any] = {"bool": False, "int": 0}
    with pytest.raises(TableError) as caught:
        type(
            "Wrong",
            (Process,),
            {**body, "__annotations__": fields, **{name: given[kind] for name, kind in fields.items()}},
        )()
    assert [m for m in caught.value.mistakes if line in m], caught.value.mistakes


def test_a_method_comes_before_a_flag_of_the_input() -> None:
    class Deaf(Process):
        states = ("on", "off")
        transitions = (
            {"trigger": Ask, "source": "on", "dest": "off", "conditions": "urgent"},
            {"trigger": Ask, "source": "*", "dest": IGNORE},
        )

        def urgent(self) -> bool:
            return False

    system = System({"desk": Deaf(), "b": Guest(urgent=True)})
    assert Walk(system).take("deliver b->desk Ask(urgent=True, number=0)").view("desk").state == "on"


# --- callbacks that subclasses bring -------------------------------------------------------------------------


class Shape(Process):
    """A base: what its row does, and when, is up to those that are used."""

    states = ("on", {"name": "off", "on_enter": "arrive"})
    must = ("go",)
    transitions = ({"trigger": "go", "source": "on", "dest": "off", "conditions": "ready", "after": "act"},)
    count: int = 0


class Whole(Shape):
    ready: bool = True

    def act(self) -> None:
        self.count += 1

    def arrive(self) -> None:
        self.count += 10


def test_a_base_class_may_name_callbacks_that_its_subclasses_bring() -> None:
    assert Walk(System({"p": Whole()})).take("move p.go").view("p").count == 11


def test_a_class_is_used_with_all_its_callbacks_only() -> None:
    class Misspelt(Shape):
        ready: bool = True

        def atc(self) -> None: ...

        def arrive(self) -> None: ...

    row = "row 1 (trigger: 'go', source: 'on', dest: 'off')"
    with pytest.raises(TableError) as caught:
        Misspelt()
    assert caught.value.mistakes == (
        f"Misspelt: {row}: after: unknown method 'act' (did you mean 'atc'?): use arrive or atc",
    )
    with pytest.raises(TableError) as caught:
        Shape()
    said = ["state 'off': on_enter: unknown method 'arrive'", f"{row}: conditions: unknown method 'ready'"]
    assert [m.split(": none")[0] for m in caught.value.mistakes] == [
        *(f"Shape: {text}" for text in said),
        f"Shape: {row}: after: unknown method 'act'",
    ]


def test_what_a_subclass_brings_is_checked_as_if_it_had_been_there() -> None:
    with pytest.raises(TableError, match="'act' accepts an input, but a timer or a spontaneous move has none"):
        type("Asking", (Whole,), {"act": lambda self, ask: None})
    with pytest.raises(ModelError, match=r"Ticking: act reads time.time"):
        System({"p": type("Ticking", (Whole,), {"act": lambda_act})()})


def lambda_act(self: Any) -> None:
    self.count = int(time.time())


lambda_act.__name__ = "act"


# --- where an instance begins --------------------------------------------------------------------------------


class Worker(Process):
    states = ("idle", "busy", "done")
    hot = ("busy",)
    must = ("finish",)
    transitions = ({"trigger": "finish", "source": "busy", "dest": "done"},)
    count: int = 0


def test_an_instance_may_begin_in_another_state_and_comes_back_there() -> None:
    system = System({"a": Worker(), "b": Worker(initial="busy", count=3)}, faults="crash:1@b")
    walk = Walk(system)
    assert (walk.view("a").state, walk.view("b").state, walk.view("b").count) == ("idle", "busy", 3)
    after = walk.take("move b.finish", "crash b", "restart b")
    assert after.view("b").state == "busy"
    ours, theirs = check(system), Reference(system).explore()
    assert (ours.states, ours.generated, ours.depth) == (len(theirs.states), theirs.generated, theirs.depth)
    assert ours.states > check(system.with_(processes={"a": Worker(), "b": Worker()})).states
    assert Worker(initial="busy").state == "busy"
    assert Worker.table.initial == "idle"


def test_a_class_may_still_say_where_its_instances_begin() -> None:
    class Busy(Worker):
        initial = "busy"

    assert (Busy().state, Busy(initial="done").state, Worker().state) == ("busy", "done", "idle")


def test_an_unknown_state_to_begin_in_is_refused() -> None:
    with pytest.raises(ModelError) as caught:
        Worker(initial="bsuy")
    assert caught.value.mistakes == (
        "Worker: initial: unknown state 'bsuy' (did you mean 'busy'?): use idle, busy or done",
    )


def test_processes_that_begin_in_different_states_are_not_interchangeable() -> None:
    with pytest.raises(ModelError, match="interchangeable: a and b start in states idle and busy"):
        System({"a": Worker(), "b": Worker(initial="busy")}, interchangeable=(("a", "b"),))


def test_a_drawing_begins_where_all_instances_do() -> None:
    for machines, first in (
        ({"a": Worker(initial="busy")}, "busy"),
        ({"a": Worker(initial="busy"), "b": Worker(initial="done")}, "idle"),
        ({"a": Worker()}, "idle"),
    ):
        assert diagrams(machines)[0].states[0] == first
