"""The table of a class is checked when the class is made: one line for each mistake, naming class and row."""

from __future__ import annotations

import subprocess
import sys
from typing import Any, ClassVar

import pytest

from sim import DEFER, IGNORE, Emission, Fault, Message, ModelError, Monitor, Process, System, TableError, check
from tests.walk import Walk


class Ask(Message):
    number: int = 0


class Never(Message):
    pass


class Noted(Emission):
    pass


class Late(Fault):
    kind: ClassVar[str] = "late"


def _twin() -> type[Message]:
    class Ask(Message):
        pass

    return Ask


ROW = {"trigger": Ask, "source": "idle", "dest": "idle"}

# The text of a mistake -> the class body that makes it. The body is laid over a good one.
PROCESS_MISTAKES: dict[str, dict[str, Any]] = {
    "row 1 (trigger: Ask, source: 'idel', dest: 'idle'): source: unknown state 'idel' (did you mean 'idle'?)": {
        "transitions": ({**ROW, "source": "idel"},)
    },
    "source: unknown state 'bsuy' (did you mean 'busy'?)": {"transitions": ({**ROW, "source": ["idle", "bsuy"]},)},
    "row 1 (trigger: Ask, source: 'idle', dest: 'idel'): dest: unknown state 'idel' (did you mean 'idle'?)": {
        "transitions": ({**ROW, "dest": "idel"},)
    },
    "initial: unknown state 'idel' (did you mean 'idle'?)": {"initial": "idel"},
    "initial: unknown state 3": {"initial": 3},
    "hot: unknown state 'bussy' (did you mean 'busy'?)": {"hot": ("bussy",)},
    "nothing can send trigger 'ask': a string is a timer or a spontaneous move": {
        "transitions": ({**ROW, "trigger": "ask"},)
    },
    "nothing can send trigger 'tikc' (did you mean 'tick'?)": {
        "timers": ("tick",),
        "transitions": ({**ROW, "trigger": "tikc"},),
    },
    "nothing can send trigger int: triggers are Message classes or Fault classes, or names": {
        "transitions": ({**ROW, "trigger": int},)
    },
    "nothing can send trigger Noted": {"transitions": ({**ROW, "trigger": Noted},)},
    "nothing can send trigger Message: it is the base of its kind": {"transitions": ({**ROW, "trigger": Message},)},
    "nothing can send trigger Ask(number=0)": {"transitions": ({**ROW, "trigger": Ask()},)},
    "row 1 (trigger: Ask, source: 'idle', dest: 'idle'): after: unknown method 'nowhere'": {
        "transitions": ({**ROW, "after": "nowhere"},)
    },
    "before: unknown method 'look_' (did you mean 'look'?)": {"transitions": ({**ROW, "before": "look_"},)},
    "conditions: unknown method 'number'": {
        "transitions": ({**ROW, "conditions": "number"},),
        "number": 1,
        "__annotations__": {"number": "int"},
    },
    "conditions True (bool) is neither the name of a method nor a list of names": {
        "transitions": ({**ROW, "conditions": True},)
    },
    "unless 'many' must accept self and at most the input": {"transitions": ({**ROW, "unless": "many"},)},
    "after 'bare' must accept self and at most the input": {"transitions": ({**ROW, "after": "bare"},)},
    "after 'keyed' must accept self and at most the input": {"transitions": ({**ROW, "after": "keyed"},)},
    "after 'fixed' must accept self and at most the input": {"transitions": ({**ROW, "after": "fixed"},)},
    "after 'hear' accepts an input, but a timer or a spontaneous move has none": {
        "timers": ("tick",),
        "transitions": ({"trigger": "tick", "source": "idle", "dest": "idle", "after": "hear"},),
    },
    "on_enter 'hear' accepts an input, but a timer or a spontaneous move has none": {
        "states": ("idle", {"name": "busy", "on_enter": "hear"}),
        "may": ("go",),
        "transitions": ({"trigger": "go", "source": "idle", "dest": "busy"},),
    },
    "unknown key 'condition' (did you mean 'conditions'?)": {"transitions": ({**ROW, "condition": "look"},)},
    "row 1 (trigger: Ask, source: 'idle', dest: 'idle'): prepare would run even if the row is refused": {
        "transitions": ({**ROW, "prepare": "look"},)
    },
    "row 1 (trigger: Ask, source: 'idle', dest: IGNORE): IGNORE does nothing; callbacks here would never be called": {
        "transitions": ({**ROW, "dest": IGNORE, "after": "look"},)
    },
    "DEFER does nothing; callbacks here would never be called": {
        "transitions": ({**ROW, "dest": DEFER, "before": "look"},)
    },
    "row 2 (Ask: idle -> busy) is never taken: row 1 comes first and always holds": {
        "transitions": (ROW, {**ROW, "dest": "busy"})
    },
    "row 3 (Ask: idle, busy -> busy) is never taken": {
        "transitions": (ROW, {**ROW, "source": "busy"}, {**ROW, "source": "*", "dest": "busy"})
    },
    "state 'idle' is listed twice": {"states": ("idle", "busy", "idle")},
    "states = 'idle' is not a tuple of names": {"states": "idle", "transitions": ()},
    "states is empty; name at least the initial state": {"states": (), "transitions": ()},
    "state 7 is neither a name nor a dict with one": {"states": ("idle", 7)},
    "state 'busy': unknown key 'on_entry' (did you mean 'on_enter'?)": {
        "states": ("idle", {"name": "busy", "on_entry": "look"})
    },
    "state 'busy': unknown key 4": {"states": ("idle", {"name": "busy", 4: "look"})},
    "state 'busy': on_enter: unknown method 'lok' (did you mean 'look'?)": {
        "states": ("idle", {"name": "busy", "on_enter": "lok"})
    },
    "state '(down)' cannot have this name": {"states": ("idle", "(down)")},
    "state '*' cannot have this name": {"states": ("idle", "*")},
    "state '' cannot have this name": {"states": ("idle", "")},
    "field level: 1.5 (float) is not a value: use an integer (of a smaller unit) or a ratio of two": {
        "level": 1.5,
        "__annotations__": {"level": "float"},
    },
    "field seen: [] (list) is not a value: use a tuple": {"seen": [], "__annotations__": {"seen": "list[int]"}},
    "field 'send' cannot have this name: it belongs to the framework": {
        "send": 1,
        "__annotations__": {"send": "int"},
    },
    "field 'initial' cannot have this name: it belongs to the framework": {"__annotations__": {"initial": "str"}},
    "field 'hot' cannot have this name": {"__annotations__": {"hot": "tuple[str, ...]"}},
    "field 'up' cannot have this name": {"up": True, "__annotations__": {"up": "bool"}},
    "field '_hidden' cannot have this name": {"_hidden": 1, "__annotations__": {"_hidden": "int"}},
    "'emit' cannot be replaced: it belongs to the framework": {"emit": lambda self: None},
    "durable: unknown field 'cuont' (did you mean 'count'?)": {
        "durable": ("cuont",),
        "count": 0,
        "__annotations__": {"count": "int"},
    },
    "timers names 'tick', but no row has this trigger": {"timers": ("tick",)},
    "must names 'go', but no row has this trigger": {"must": ("go",)},
    "must = 'go' is not a collection of names; write must = ('go',)": {"must": "go"},
    "may = 'go' is not a collection of names; write may = ('go',)": {"may": "go"},
    "timers = 3 is not a collection of names": {"timers": 3},
    "durable holds 3, which is not a name": {"durable": (3,)},
    "must holds 'go' twice": {
        "must": ("go", "go"),
        "transitions": ({"trigger": "go", "source": "idle", "dest": "busy"},),
    },
    "timers holds 'wake up', which is not an identifier": {
        "timers": ("wake up",),
        "transitions": ({"trigger": "wake up", "source": "idle", "dest": "busy"},),
    },
    "'go' is in must and may: it can be only one of them": {
        "must": ("go",),
        "may": ("go",),
        "transitions": ({"trigger": "go", "source": "idle", "dest": "busy"},),
    },
    "transition is neither part of a table (did you mean 'transitions'?) nor annotated as a field": {
        "transition": ({"trigger": Ask, "source": "idle", "dest": "idle"},)
    },
    "hots is neither part of a table (did you mean 'hot'?) nor annotated as a field": {"hots": ("idle",)},
    "'table' cannot be replaced: it belongs to the framework": {"table": ()},
    "on_enter_buzy: unknown state 'buzy' (did you mean 'busy'?)": {"on_enter_buzy": lambda self: None},
    "on_exit_: unknown state ''": {"on_exit_": lambda self: None},
    "on_start takes no argument but self": {"on_start": lambda self, message: None},
    "on_restart takes no argument but self": {"on_restart": lambda self, message: None},
    "row 1 (trigger: 'go', source: 'idle', dest: DEFER): a spontaneous move is taken or not": {
        "may": ("go",),
        "transitions": ({"trigger": "go", "source": "idle", "dest": DEFER},),
    },
    "row 1 is 'Ask'; write a dict with trigger, source and dest": {"transitions": ("Ask",)},
    "transitions is not a tuple of rows": {"transitions": ROW},
    "row 1 (trigger: Ask, dest: 'idle'): source is missing": {"transitions": ({"trigger": Ask, "dest": "idle"},)},
    "row 1 (source: 'idle', dest: 'idle'): trigger is missing": {"transitions": ({"source": "idle", "dest": "idle"},)},
    "row 1 (trigger: Ask, source: 'idle'): dest is missing": {"transitions": ({"trigger": Ask, "source": "idle"},)},
    "row 1 (empty): trigger, source and dest are missing": {"transitions": ({},)},
    "source 3 is neither a state, a list of states nor '*'": {"transitions": ({**ROW, "source": 3},)},
    "source [] is neither a state, a list of states nor '*'": {"transitions": ({**ROW, "source": []},)},
    "two triggers are named Ask": {"transitions": (ROW, {**ROW, "trigger": _twin(), "source": "busy"})},
}


def _good_body() -> dict[str, Any]:
    return {
        "states": ("idle", "busy"),
        "transitions": (ROW,),
        "look": lambda self: None,
        "hear": lambda self, message: None,
        "many": lambda self, message, more: None,
        "bare": lambda: None,
        "keyed": lambda self, *, loud: None,
        "fixed": staticmethod(lambda message: None),
        "__annotations__": {},
        "__module__": __name__,
    }


def _made(base: type, body: dict[str, Any]) -> TableError:
    with pytest.raises(TableError) as caught:
        type("Sample", (base,), {**_good_body(), **body})()  # a missing callback is told when the class is used
    return caught.value


def test_the_body_that_the_mistakes_are_laid_over_is_good() -> None:
    assert type("Sample", (Process,), _good_body()).table.initial == "idle"


@pytest.mark.parametrize("text", PROCESS_MISTAKES)
def test_each_mistake_is_one_line_that_names_the_class_and_the_row(text: str) -> None:
    error = _made(Process, PROCESS_MISTAKES[text])
    assert len(error.mistakes) == 1, error.mistakes
    assert error.mistakes[0].startswith("Sample: ")
    assert text in error.mistakes[0]
    assert "\n" not in error.mistakes[0]


MONITOR_MISTAKES: dict[str, dict[str, Any]] = {
    "a monitor cannot defer what has already happened": {
        "transitions": ({"trigger": Noted, "source": "idle", "dest": DEFER},)
    },
    "nothing can send trigger Ask: triggers are Emission classes, or names": {"transitions": (ROW,)},
    "nothing can send trigger Late": {"transitions": ({**ROW, "trigger": Late},)},
    "timers is not for monitors": {
        "timers": ("tick",),
        "transitions": ({"trigger": "tick", "source": "idle", "dest": "idle"},),
    },
    "'violate' cannot be replaced: it belongs to the framework": {"violate": lambda self, why: None},
}


@pytest.mark.parametrize("text", MONITOR_MISTAKES)
def test_each_mistake_in_a_monitor_is_one_line(text: str) -> None:
    body = {"transitions": ({"trigger": Noted, "source": "idle", "dest": "busy"},), **MONITOR_MISTAKES[text]}
    error = _made(Monitor, body)
    assert len(error.mistakes) == 1, error.mistakes
    assert error.mistakes[0].startswith("Sample: ")
    assert text in error.mistakes[0]


def test_all_mistakes_of_a_class_are_reported_at_once() -> None:
    body = {
        "initial": "idel",
        "hot": "busy",
        "transitions": ({**ROW, "source": "a"}, {**ROW, "dest": "b", "after": "c"}, {**ROW, "prepare": "look"}),
    }
    assert len(_made(Process, body).mistakes) == 6


def test_the_mistakes_are_listed_in_the_same_order_under_every_hash_seed() -> None:
    code = (
        "from sim import Process, TableError\n"
        "body = {'states': ('a', {'name': 'b', 'one': 1, 'two': 2, 'three': 3, 'four': 4}), 'hot': {'x', 'y', 'z'}}\n"
        "try:\n    type('Sample', (Process,), body)\n"
        "except TableError as error:\n    print(error)\n"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("0", "1", "2", "3")
    }
    assert len(texts) == 1
    assert "four" in texts.pop()


def test_a_subclass_takes_over_table_and_fields_and_may_replace_them() -> None:
    class First(Process):
        states = ("idle", "busy")
        transitions = (ROW,)
        count: int = 1

    class Second(First):
        transitions = (*First.transitions, {"trigger": Never, "source": "*", "dest": IGNORE})
        more: int = 2

    assert [str(row) for row in Second.table.rows] == ["Ask: idle -> idle", "Never: idle, busy -> IGNORE"]
    assert Second.table.fields == {"count": 1, "more": 2}
    assert len(First.table.rows) == 1


def test_a_base_without_states_is_a_mixin_and_no_process() -> None:
    class Counting(Process):
        count: int = 0

    with pytest.raises(ModelError, match="Counting has no states"):
        Counting()

    class Counter(Counting):
        states = ("idle",)

    assert Counter().field_values() == (0,)


def test_fields_are_given_by_name_and_checked() -> None:
    class Counter(Process):
        states = ("idle",)
        size: int
        count: int = 0

    with pytest.raises(ModelError) as caught:
        Counter(cuont=1, count=[])
    assert caught.value.mistakes == (
        "Counter: unknown field 'cuont' (did you mean 'count'?): use size or count",
        "Counter: field 'size' has no default: pass size=...",
        "Counter: field count: [] (list) is not a value: use a tuple",
    )


# --- what `transitions` 0.9.3 lets pass ------------------------------------------------------------------


class Answered(Message):
    pass


def _box(**body: Any) -> type[Process]:
    """A process in state `idle` that is sent one Ask at its start; `body` says what it does with it."""
    return type(
        "Box",
        (Process,),
        {
            "states": ("idle", "busy"),
            "timers": ("tick",),
            "count": 0,
            "kept": 0,
            "durable": ("kept",),
            "__annotations__": {"count": "int", "kept": "int"},
            "__module__": __name__,
            "transitions": (
                {"trigger": Ask, "source": "idle", "dest": "busy", "conditions": "guard", "after": "act"},
                {"trigger": "tick", "source": "*", "dest": IGNORE},
            ),
            "on_start": lambda self: self.send("box", Ask()),
            "guard": lambda self: True,
            "act": lambda self: None,
            **body,
        },
    )


def _walk(**body: Any) -> Walk:
    return Walk(System({"box": _box(**body)()}))


GUARD_ACTS = {
    "sets count": lambda self: setattr(self, "count", 1),
    "sets kept": lambda self: setattr(self, "kept", 1),
    "sends to 'box'": lambda self: self.send("box", Ask()),
    "emits": lambda self: self.emit(Noted()),
    "arms 'tick'": lambda self: self.arm("tick", 1),
    "cancels 'tick'": lambda self: self.cancel("tick"),
    "chooses": lambda self: self.choose(True, False),
}


@pytest.mark.parametrize("what", GUARD_ACTS)
@pytest.mark.parametrize("key", ["conditions", "unless"])
def test_a_guard_that_does_anything_is_an_error_that_names_it(what: str, key: str) -> None:
    row = {"trigger": Ask, "source": "idle", "dest": "busy", key: "guard"}
    tick = {"trigger": "tick", "source": "*", "dest": IGNORE}
    walk = _walk(guard=GUARD_ACTS[what], transitions=(row, tick))
    with pytest.raises(ModelError, match="in a guard: guards only read") as caught:
        walk.enabled()
    assert f"Box 'box' in state 'idle' {what}" in str(caught.value)


def test_a_guard_may_look_at_fields_timers_state_and_sender() -> None:
    def guard(self: Any, ask: Ask) -> bool:
        return self.count == 0 and not self.armed("tick") and self.state == "idle" and self.sender == "box"

    assert _walk(guard=guard).enabled() == ["deliver box->box Ask(number=0)"]


@pytest.mark.parametrize("answer", [2, "no", (0,), True])
def test_a_guard_that_answers_something_true_holds(answer: object) -> None:
    walk = _walk(guard=lambda self: answer).take("deliver box->box Ask(number=0)")
    assert walk.view("box").state == "busy"


@pytest.mark.parametrize("answer", [0, "", (), None, False])
def test_a_guard_that_answers_something_false_refuses(answer: object) -> None:
    result = check(System({"box": _box(guard=lambda self: answer)()}))
    assert result.finding is not None
    assert result.finding.property == "unhandled"


@pytest.mark.parametrize("answer", [2, "no"])
def test_unless_refuses_on_anything_true(answer: object) -> None:
    rows = (
        {"trigger": Ask, "source": "idle", "dest": "busy", "unless": "guard"},
        {"trigger": Ask, "source": "idle", "dest": IGNORE},
        {"trigger": "tick", "source": "*", "dest": IGNORE},
    )
    walk = _walk(guard=lambda self: answer, transitions=rows).take("deliver box->box Ask(number=0)")
    assert walk.view("box").state == "idle"


def test_rows_are_tried_in_order_and_all_guards_of_a_row_must_hold() -> None:
    rows = (
        {"trigger": Ask, "source": "idle", "dest": IGNORE, "conditions": ["guard", "never"]},
        {"trigger": Ask, "source": "idle", "dest": IGNORE, "conditions": "guard", "unless": "guard"},
        {"trigger": Ask, "source": "idle", "dest": "busy", "conditions": "guard"},
        {"trigger": Ask, "source": "idle", "dest": IGNORE},
        {"trigger": "tick", "source": "*", "dest": IGNORE},
    )
    walk = _walk(transitions=rows, never=lambda self: False)
    assert walk.take("deliver box->box Ask(number=0)").view("box").state == "busy"


def test_nothing_is_added_to_a_process_that_could_trigger_again() -> None:
    seen: list[set[str]] = []
    _walk(act=lambda self: seen.append({*dir(self)} - {*dir(type(self))})).enabled()
    fields = {"count", "kept"}
    assert [names - fields for names in seen] == [{"_name", "_state", "_step"}]


@pytest.mark.parametrize("name", ["trigger", "Ask", "to_idle", "may_Ask", "is_idle", "tick", "machine"])
def test_a_callback_finds_no_trigger_to_call(name: str) -> None:
    result = check(System({"box": _box(act=lambda self: getattr(self, name)())()}))
    assert result.finding is not None
    assert result.finding.property == "exception"
    assert "AttributeError" in result.finding.message


@pytest.mark.parametrize(
    ("act", "text"),
    [
        (lambda self: setattr(self, "cuont", 1), "unknown field 'cuont' (did you mean 'count'?)"),
        (lambda self: setattr(self, "state", "idle"), "only rows of the table change the state"),
        (lambda self: setattr(self, "count", 1.0), "1.0 (float) is not a value"),
        (lambda self: delattr(self, "count"), "deletes 'count': set it to None instead"),
        (lambda self: self.send("box", "Ask"), "sends 'Ask' (str): pass an instance of a subclass of Message"),
        (lambda self: self.send("bux", Ask()), "unknown process 'bux' (did you mean 'box'?)"),
        (lambda self: self.send("box", Ask([])), "[] (list) is not a value"),
        (lambda self: self.emit(Ask()), "emits Ask: make it a subclass of Emission"),
        (lambda self: self.choose(), "chooses from nothing"),
        (lambda self: self.choose(1.5), "1.5 (float) is not a value"),
        (lambda self: self.arm("tock", 1), "unknown timer 'tock' (did you mean 'tick'?)"),
        (lambda self: self.arm("tick", -1), "expected whole milliseconds, 0 or more"),
        (lambda self: self.arm("tick", 1.5), "expected whole milliseconds, 0 or more"),
        (lambda self: self.arm("tick", True), "expected whole milliseconds, 0 or more"),
        (lambda self: self.arm("tick", (5, 1)), "expected whole milliseconds, 0 or more"),
        (lambda self: self.arm("tick", (1, 2, 3)), "expected whole milliseconds, 0 or more"),
        (lambda self: self.cancel("tock"), "unknown timer 'tock'"),
    ],
)
def test_what_a_callback_may_not_do_is_an_error_and_leaves_the_state_unchanged(act: Any, text: str) -> None:
    def acting(self: Any) -> None:
        self.count = self.kept = 7
        self.send("box", Ask(7))
        act(self)

    walk = _walk(act=acting)
    before, value = walk.state, walk.graph.value(walk.state)
    for _ in range(2):  # nothing is remembered of the first attempt that would make the second pass
        with pytest.raises(ModelError) as caught:
            walk.enabled()
        assert text in str(caught.value)
    assert walk.state == before
    assert walk.graph.value(walk.state) == value
    assert (walk.view("box").count, walk.view("box").kept) == (0, 0)


def test_a_process_outside_of_a_handler_cannot_be_changed() -> None:
    box = _box()()
    for act in (lambda: setattr(box, "count", 1), lambda: box.send("box", Ask()), lambda: box.choose(1)):
        with pytest.raises(ModelError, match="outside of a handler"):
            act()
    assert box.count == 0


def test_an_undeclared_pair_is_a_finding_with_the_schedule_that_led_there() -> None:
    walk_rows = (
        {"trigger": Ask, "source": "idle", "dest": "busy", "after": "act"},
        {"trigger": "tick", "source": "*", "dest": IGNORE},
    )
    result = check(System({"box": _box(transitions=walk_rows, act=lambda self: self.send("box", Answered()))()}))
    assert result.verdict == "violated"
    assert result.finding is not None
    assert result.finding == ("unhandled", "unhandled Answered in state busy of box: Answered")
    assert [str(a.address) for a in result.path] == ["deliver box->box Ask(number=0)", "deliver box->box Answered"]


def test_callbacks_run_in_the_order_before_exit_enter_after_and_each_is_given_the_input() -> None:
    heard: list[tuple[str, str, int | None]] = []

    def hear(name: str) -> Any:
        return lambda self, ask: heard.append((name, self.state, ask.number))

    rows = (
        {"trigger": Ask, "source": "idle", "dest": "busy", "before": ["a", "b"], "after": "c"},
        {"trigger": "tick", "source": "*", "dest": IGNORE},
    )
    states = ({"name": "idle", "on_exit": "leave"}, "busy")
    body = {name: hear(name) for name in ("a", "b", "c", "leave", "on_enter_busy")}
    _walk(transitions=rows, states=states, **body).enabled()
    order = [("a", "idle", 0), ("b", "idle", 0), ("leave", "idle", 0), ("on_enter_busy", "busy", 0), ("c", "busy", 0)]
    assert heard == order


@pytest.mark.parametrize(("dest", "entered"), [(None, 0), ("=", 1), ("idle", 1)])
def test_staying_neither_leaves_nor_enters_and_reentering_does_both(dest: str | None, entered: int) -> None:
    heard: list[str] = []
    rows = ({"trigger": Ask, "source": "idle", "dest": dest}, {"trigger": "tick", "source": "*", "dest": IGNORE})
    walk = _walk(
        transitions=rows,
        on_enter_idle=lambda self: heard.append("enter"),
        on_exit_idle=lambda self: heard.append("exit"),
    )
    walk.take("deliver box->box Ask(number=0)")
    assert heard == ["exit", "enter"] * entered
    assert walk.view("box").state == "idle"
