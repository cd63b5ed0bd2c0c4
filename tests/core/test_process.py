"""Processes and monitors as their authors meet them: definitions are values, handlers have five verbs."""

from __future__ import annotations

from typing import Any

import pytest

from sim import Emission, Message, ModelError, Monitor, Process, System, View, always, check, cut, sometimes, within
from sim.base.values import encode
from sim.machine import process
from sim.machine.process import HandlerCall
from tests.walk import Walk


class Ask(Message):
    n: int = 0


class Noted(Emission):
    pass


class Box(Process):
    states = ("idle", "busy")
    hot = {"busy"}
    timers = ("t",)
    durable = ("kept",)
    transitions = (
        {"trigger": Ask, "source": "*", "dest": "busy", "after": "note"},
        {"trigger": "t", "source": "*", "dest": "idle", "after": "note_nothing"},
    )

    kept: int = 0
    seen: tuple[Any, ...] = ()

    def on_start(self) -> None:
        self.arm("t", 10)
        self.send("box", Ask(4))

    def note(self, ask: Ask) -> None:
        self.seen = (self.name, self.state, self.sender, ask.n, self.armed("t"))

    def note_nothing(self, ask: Ask | None = None) -> None:
        self.seen = (self.sender, ask, self.armed("t"))


def test_a_handler_sees_its_name_its_state_the_sender_and_its_timers() -> None:
    there = Walk(System({"box": Box(), "other": Box()})).take("deliver other->box Ask(n=4)")
    assert there.view("box").seen == ("box", "busy", "other", 4, True)


def test_a_timer_brings_no_input_and_no_sender_and_has_fired() -> None:
    there = Walk(System({"box": Box()})).take("fire box.t")
    assert there.view("box").seen == ("", None, False)


def test_one_definition_may_serve_under_several_names_and_is_never_changed() -> None:
    box = Box(kept=3)
    system = System({"box": box, "other": box})
    check(system, max_states=20)
    assert (box.kept, box.seen, box.state, box.name) == (3, (), "idle", "")


def test_a_view_has_state_up_timers_and_fields_and_names_the_nearest() -> None:
    view = Walk(System({"box": Box(kept=2)})).view("box")
    assert (view.state, view.up, view.timers, view.kept, view.seen) == ("idle", True, ("t",), 2, ())
    assert repr(view) == "<idle, kept=2, seen=()>"
    with pytest.raises(
        AttributeError, match=r"unknown field 'ketp' \(did you mean 'kept'\?\): use state, timers, up, kept or seen"
    ):
        _ = view.ketp


def test_verbs_work_in_on_start_and_on_restart_too() -> None:
    class Starting(Box):
        def on_start(self) -> None:
            self.kept = self.choose(1, 2)
            self.emit(Noted())

        def on_restart(self) -> None:
            self.arm("t", 1)
            self.cancel("t")
            self.send("box", Ask(self.kept))

    there = Walk(System({"box": Starting()}, faults="crash:1"), start=1).take("crash box", "restart box")
    assert (there.view("box").timers, there.flying()) == ((), ["box->box Ask(n=2)"])


class Watch(Monitor):
    states = ("fine",)
    transitions = ({"trigger": Noted, "source": "fine", "dest": None, "after": "hear"},)
    heard: int = 0

    def hear(self) -> None:
        self.heard += 1


def test_a_monitor_has_none_of_the_verbs_of_a_process() -> None:
    for verb in ("send", "emit", "choose", "arm", "cancel", "armed", "sender"):
        assert not hasattr(Monitor, verb)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"processes": {}}, "a system requires at least one process"),
        ({"processes": {"a": Box}}, "process 'a' is the class Box; expected an instance of a Process"),
        ({"processes": {"a": Watch()}}, "process 'a' is a Watch; expected an instance of a Process"),
        ({"processes": {"a b": Box()}}, "'a b' cannot name a process"),
        ({"processes": {"": Box()}}, "'' cannot name a process"),
        ({"processes": {"a->b": Box()}}, "cannot name a process"),
        ({"network": "fif"}, "unknown network 'fif' (did you mean 'fifo'?): use any, fifo, set or latest"),
        ({"monitors": {"m": Box()}}, "monitor 'm' is a Box; expected an instance of a Monitor"),
        ({"monitors": {"box": Watch()}}, "'box' names both a process and a monitor"),
        ({"properties": [lambda box: True]}, "use always, sometimes, eventually or within"),
        (
            {"properties": [always("a", lambda bx: True)]},
            "always a: unknown process or monitor 'bx' (did you mean 'box'?)",
        ),
        (
            {"properties": [always("a", lambda box: True), sometimes("a", lambda box: True)]},
            "two properties are named 'a'",
        ),
        ({"properties": [always("m", lambda box: True)], "monitors": {"m": Watch()}}, "two properties are named 'm'"),
        ({"properties": [within("a", lambda box: True)]}, "within a: `within` takes a bound, and only a bound"),
        ({"within": always("a", lambda box: True)}, "always a: `within` takes a bound, and only a bound"),
        ({"cuts": {"left": cut({"bax"})}}, "cut 'left': unknown process 'bax' (did you mean 'box'?)"),
    ],
)
def test_a_system_that_does_not_fit_together_is_refused_in_one_line(options: dict[str, Any], says: str) -> None:
    with pytest.raises(ModelError) as caught:
        System(**{"processes": {"box": Box()}, **options})
    assert len(caught.value.mistakes) == 1
    assert says in caught.value.mistakes[0]


def test_all_that_does_not_fit_is_said_at_once() -> None:
    with pytest.raises(ModelError) as caught:
        System({"a b": Box, "c": Box()}, network="x", cuts={"left": cut({"d"})})
    assert len(caught.value.mistakes) == 4


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: always("a", lambda *boxes: True), "name what it reads: reads=(...)"),
        (lambda: always("a", lambda: True), "reads nothing"),
        (lambda: always("a", lambda box: True, reads="box"), "is one string; write reads=('box',)"),
        (lambda: cut("box"), "not one string"),
        (lambda: cut({"a"}, "box"), "not one string"),
    ],
)
def test_a_property_or_cut_that_says_too_little_is_refused(make: Any, says: str) -> None:
    with pytest.raises(ModelError) as caught:
        make()
    assert says in str(caught.value)


def test_a_predicate_reads_the_processes_its_parameters_name_unless_told_otherwise() -> None:
    def holds(box: View, other: View, limit: int = 3) -> bool:
        return True

    assert always("a", holds).reads == ("box", "other")
    assert always("a", holds, reads=("x", "y")).reads == ("x", "y")


def test_a_system_changed_is_another_system() -> None:
    system = System({"box": Box()})
    assert (system.with_(network="fifo").network, system.network) == ("fifo", "any")
    with pytest.raises(ModelError):
        system.with_(network="none")


class Chooser(Process):
    states = ("idle", "done")
    must = ("go",)
    transitions = ({"trigger": "go", "source": "idle", "dest": "done", "after": "act"},)

    width: int
    chosen: tuple[int, ...] = ()

    def act(self) -> None:
        same = self.choose(*[0] * self.width)  # nothing to choose, of as many outcomes as the next
        one = self.choose(*range(self.width))
        self.chosen = (same, one, self.choose(*(n // 2 for n in range(one % 3 + 2))))


def test_each_path_of_several_choices_has_its_own_outcomes() -> None:
    expected = {(0, one, n // 2) for one in range(5) for n in range(one % 3 + 2)}
    walk = Walk(System({"c": Chooser(width=5)}))
    found = {action.after[1][1] for action in walk.graph.actions(walk.state)}
    assert found == expected


def encoded(width: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many values are encoded for a choice of so many outcomes."""
    calls = 0

    def counted(value: Any) -> bytes:
        nonlocal calls
        calls += 1
        return encode(value)

    with monkeypatch.context() as patched:
        patched.setattr(process, "encode", counted)
        check(System({"c": Chooser(width=width)}))
    return calls


def test_a_choice_of_many_outcomes_looks_at_each_of_them_once(monkeypatch: pytest.MonkeyPatch) -> None:
    few, many = encoded(100, monkeypatch), encoded(400, monkeypatch)
    assert many < 5 * few
    distinct = Process._distinct
    monkeypatch.setattr(
        Process, "_distinct", lambda self, _, outcomes: distinct(self, HandlerCall((), (), ""), outcomes)
    )
    assert encoded(400, monkeypatch) > 10 * encoded(100, monkeypatch)  # if each path looked at all of them
