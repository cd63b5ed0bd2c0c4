"""One handler call: outcomes by the library in strict settings, choices explored depth first."""

from __future__ import annotations

from typing import Any

import pytest

from sim import DEFER, IGNORE, Emission, Message, ModelError, Process, System
from sim.machine.handler import Handler, Local
from sim.machine.outputs import Emit, Send, Write
from tests.walk import Walk


class Ask(Message):
    n: int = 0


class Other(Message):
    pass


class Noted(Emission):
    pass


class Box(Process):
    states = ("idle", "busy")
    may = ("go",)
    durable = ("kept",)
    transitions = (
        {"trigger": Ask, "source": "idle", "dest": "busy", "conditions": "small", "after": "act"},
        {"trigger": Ask, "source": "idle", "dest": DEFER, "conditions": "large"},
        {"trigger": Ask, "source": "busy", "dest": IGNORE},
        {"trigger": "go", "source": "busy", "dest": "idle"},
    )
    kept: int = 0
    free: int = 0

    def small(self, ask: Ask) -> bool:
        return ask.n < 5

    def large(self, ask: Ask) -> bool:
        return ask.n > 5

    def act(self, ask: Ask) -> None:
        self.kept = ask.n
        self.send("x", ask)
        self.free = self.choose(1, 2)
        self.emit(Noted())


def react(trigger: Any, given: Any = None, state: str = "idle", **more: Any) -> Any:
    return Handler("box", Box()).react(Local(state, (0, 0)), trigger, given, **more)


def test_an_input_has_one_outcome_for_each_path_with_outputs_in_the_order_written() -> None:
    one, two = react(Ask, Ask(3))
    assert (one.local, two.local) == (Local("busy", (3, 1)), Local("busy", (3, 2)))
    assert one.outputs == (Write("kept", 3), Send("x", Ask(3)), Emit(Noted()))
    assert (one.choices, two.choices) == ((1,), (2,))
    assert one.row is Box.table.rows[0]


def test_what_is_deferred_has_no_outcome_and_what_is_ignored_one_that_changes_nothing() -> None:
    assert react(Ask, Ask(9)) is None
    (outcome,) = react(Ask, Ask(9), state="busy")
    assert (outcome.local, outcome.outputs) == (Local("busy", (0, 0)), ())


@pytest.mark.parametrize(("trigger", "given"), [(Ask, Ask(5)), (Other, Other())])
def test_what_no_row_takes_is_an_outcome_beyond_the_table(trigger: Any, given: Any) -> None:
    (outcome,) = react(trigger, given)
    assert outcome.local.state == "(failed)"
    assert not outcome.local.up
    assert outcome.local.fields[0] == "unhandled"


def test_a_move_that_no_row_takes_is_not_enabled() -> None:
    assert react("go") is None
    assert len(react("go", state="busy")) == 1


def test_choices_are_explored_depth_first_in_the_order_given_each_path_once() -> None:
    class Chooser(Process):
        states = ("idle",)
        transitions = ({"trigger": Ask, "source": "idle", "dest": None, "after": "act"},)
        path: tuple[Any, ...] = ()

        def act(self) -> None:
            first = self.choose("a", "b", "c")
            self.path = (first,)
            if first != "b":
                self.path = (first, self.choose(1, True), self.choose(0, 1) if first == "c" else None)

    handler = Handler("c", Chooser())
    outcomes = handler.react(Local("idle", ((),)), Ask, Ask())
    assert outcomes is not None
    assert [o.choices for o in outcomes] == [
        ("a", 1), ("a", True), ("b",), ("c", 1, 0), ("c", 1, 1), ("c", True, 0), ("c", True, 1),
    ]  # fmt: skip
    assert handler.calls == len(outcomes)


def test_a_deferral_or_an_error_in_one_call_leaves_nothing_behind_for_the_next() -> None:
    handler = Handler("box", Box())
    before = handler.react(Local("idle", (0, 0)), Ask, Ask(1))
    assert handler.react(Local("idle", (0, 0)), Ask, Ask(9)) is None
    assert handler.react(Local("idle", (0, 0)), Other, Other())
    assert handler.react(Local("idle", (0, 0)), Ask, Ask(1)) == before


def test_an_error_of_the_model_is_raised_also_out_of_a_late_path() -> None:
    class Late(Box):
        def act(self, ask: Ask) -> None:
            if self.choose(True, False):
                return
            self.free = 1.5  # type: ignore[assignment]

    with pytest.raises(ModelError, match="Late 'box' in state 'busy' sets free"):
        Walk(System({"box": Late(), "a": _asker()})).enabled()


def _asker() -> Process:
    class Asker(Process):
        states = ("idle",)

        def on_start(self) -> None:
            self.send("box", Ask(1))

    return Asker()


def test_an_exception_is_an_outcome_of_its_path_alone() -> None:
    class Fragile(Box):
        def act(self, ask: Ask) -> None:
            if self.choose("whole", "broken") == "broken":
                raise ValueError("no")

    outcomes = Handler("box", Fragile()).react(Local("idle", (0, 0)), Ask, Ask(1))
    assert outcomes is not None
    assert [o.local.state for o in outcomes] == ["busy", "(failed)"]
    assert outcomes[1].local.fields[1].startswith("box in state idle: ValueError: no (test_machine.py:")
