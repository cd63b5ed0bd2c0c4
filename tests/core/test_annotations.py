"""What a field, a message or an emission holds is held against its annotation: what is surely wrong is one line with
class, field and value; what cannot be known is left alone."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, IntEnum
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NewType, Protocol

import pytest

from sim import Emission, Graph, Message, ModelError, Monitor, Process, Record, System, Uniform, check, fuzz, simulate
from sim.base import annotations

if TYPE_CHECKING:
    from decimal import Decimal as Unseen

Pair = tuple[int, str]
Key = NewType("Key", int)


class Colour(Enum):
    RED = 1
    BLUE = 2


class Level(IntEnum):
    LOW = 1


class Point(Record):
    x: int
    y: int | None = None


class Later(Record):
    what: Below | None = None


class Below(Record):
    n: int


class Sized(Protocol):
    size: int


class Held(Record):
    """A field for each kind of annotation."""

    none: None = None
    whole: int = 0
    text: str = ""
    yes: bool = True
    raw: bytes = b""
    colour: Colour = Colour.RED
    word: Literal["a", 1, Colour.RED] = "a"
    maybe: int | str | None = None
    pair: Pair = (1, "a")
    many: tuple[int, ...] = ()
    nothing: tuple[()] = ()
    some: frozenset[int] = frozenset()
    seq: Sequence[int] = ()
    point: Point = Point(1)
    deep: tuple[frozenset[Point], ...] = ()
    later: Later = Later()
    key: Key = Key(1)
    noted: Annotated[int, "a note"] = 1
    ended: Final[int] = 1  # type: ignore[misc]
    ratio: float = 1
    anything: Any = None
    unseen: Unseen | None = None
    sized: Sized | None = None
    loose: tuple = ()  # type: ignore[type-arg]


RIGHT: list[tuple[str, Any]] = [
    ("whole", Level.LOW),
    ("word", 1),
    ("word", Colour.RED),
    ("maybe", "x"),
    ("maybe", 3),
    ("many", (1, 2)),
    ("some", frozenset({1})),
    ("seq", (1,)),
    ("point", Point(1, None)),
    ("deep", (frozenset({Point(1)}),)),
    ("later", Later(Below(1))),
    ("ratio", 2),
    ("anything", (None, "x", Point(1))),
    ("unseen", "what only a type checker knows"),
    ("sized", 3),
    ("loose", (1, "x")),
]

WRONG: list[tuple[str, Any, str]] = [
    ("none", 0, "Held.none is 0 (int); expected None"),
    ("whole", "x", "Held.whole is 'x' (str); expected int"),
    ("whole", True, "Held.whole is True (bool); expected int"),
    ("whole", None, "Held.whole is None; expected int"),
    ("text", 1, "Held.text is 1 (int); expected str"),
    ("yes", 1, "Held.yes is 1 (int); expected bool"),
    ("raw", "x", "Held.raw is 'x' (str); expected bytes"),
    ("colour", 1, "Held.colour is 1 (int); expected Colour"),
    ("colour", Level.LOW, "Held.colour is LOW (Level); expected Colour"),
    ("word", "b", "Held.word is 'b' (str); expected Literal['a', 1, Colour.RED]"),
    ("word", True, "Held.word is True (bool); expected Literal['a', 1, Colour.RED]"),
    ("maybe", b"", "Held.maybe is b'' (bytes); expected int | str | None"),
    ("maybe", False, "Held.maybe is False (bool); expected int | str | None"),
    ("pair", (1, 2), "Held.pair is (1, 2) (tuple); expected Pair"),
    ("pair", (1,), "Held.pair is (1,) (tuple); expected Pair"),
    ("many", 1, "Held.many is 1 (int); expected tuple[int, ...]"),
    ("many", (1, "x"), "Held.many is (1, x) (tuple); expected tuple[int, ...]"),
    ("nothing", (1,), "Held.nothing is (1,) (tuple); expected tuple[()]"),
    ("some", (1,), "Held.some is (1,) (tuple); expected frozenset[int]"),
    ("some", frozenset({"x"}), "Held.some is {x} (SortedSet); expected frozenset[int]"),
    ("seq", "12", "Held.seq is '12' (str); expected Sequence[int]"),
    ("point", None, "Held.point is None; expected Point"),
    ("point", Point("x"), "Point.x is 'x' (str); expected int"),  # type: ignore[arg-type]
    ("deep", (frozenset({Point(1, "x")}),), "Point.y is 'x' (str); expected int | None"),  # type: ignore[arg-type]
    ("later", Later(Below("x")), "Below.n is 'x' (str); expected int"),  # type: ignore[arg-type]
    ("key", "x", "Held.key is 'x' (str); expected Key"),
    ("noted", "x", "Held.noted is 'x' (str); expected Annotated[int, 'a note']"),
    ("ended", "x", "Held.ended is 'x' (str); expected Final[int]"),
    ("ratio", "x", "Held.ratio is 'x' (str); expected float"),
    ("anything", (Point("x"),), "Point.x is 'x' (str); expected int"),  # type: ignore[arg-type]
    ("loose", frozenset(), "Held.loose is {} (SortedSet); expected tuple"),
    ("text", 10**60, "Held.text is 1000000000000000000000000000000000000... (int); expected str"),
]


class Send(Message):
    held: Held


class Said(Emission):
    held: Held


class Actor(Process):
    """Does once, in a move, what its class says."""

    states = ("idle", "done")
    must = ("go",)
    durable = ("kept",)
    transitions = (
        {"trigger": "go", "source": "idle", "dest": "done", "after": "act"},
        {"trigger": Send, "source": "*", "dest": None},
    )

    held: Held = Held()
    kept: int = 0
    count: int = 0

    def act(self) -> None:
        """Nothing: the tests put something here."""


class Listener(Monitor):
    states = ("on",)
    transitions = ({"trigger": Said, "source": "on", "dest": None, "after": "hear"},)
    heard: int = 0

    def hear(self) -> None:
        """Nothing: the tests put something here."""


def acting(act: Any, **parts: Any) -> System:
    return System({"p": type("Doer", (Actor,), {"act": act})()}, **parts)


def sets(value: Held) -> Any:
    def act(self: Any) -> None:
        self.held = value

    return act


def sends(value: Held) -> Any:
    return lambda self: self.send("p", Send(value))


def emits(value: Held) -> Any:
    return lambda self: self.emit(Said(value))


@pytest.mark.parametrize("way", [sets, sends, emits])
@pytest.mark.parametrize(("name", "value", "line"), WRONG, ids=[f"{n}={v!r}" for n, v, _ in WRONG])
def test_a_value_that_is_surely_wrong_is_one_line_with_class_field_and_value(
    name: str, value: Any, line: str, way: Any
) -> None:
    with pytest.raises(ModelError) as caught:
        check(acting(way(Held(**{name: value}))))
    assert caught.value.mistakes == (f"Doer 'p' in state 'done': {line}",)


@pytest.mark.parametrize("way", [sets, sends, emits])
@pytest.mark.parametrize(("name", "value"), RIGHT, ids=[f"{n}={v!r}" for n, v in RIGHT])
def test_a_value_that_may_be_right_passes(name: str, value: Any, way: Any) -> None:
    assert check(acting(way(Held(**{name: value})))).verdict == "ok"


def test_without_the_check_every_wrong_value_would_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sim.machine.handler.mismatches", lambda *_: ())
    monkeypatch.setattr("sim.machine.handler.within_value", lambda *_: ())
    for name, value, _ in WRONG:
        assert check(acting(sets(Held(**{name: value})))).verdict == "ok"


@pytest.mark.parametrize("walk", [check, lambda s: simulate(s, Uniform(1)), lambda s: fuzz(s, schedules=3)])
def test_every_engine_refuses_it(walk: Any) -> None:
    with pytest.raises(ModelError, match=r"Held.whole is 'x' "):
        walk(acting(sends(Held(whole="x"))))  # type: ignore[arg-type]


def test_the_own_fields_of_a_process_are_checked_however_they_are_written() -> None:
    def at_once(self: Any) -> None:
        self.count = "x"

    def on_the_way(self: Any) -> None:
        self.kept = "x"  # a crash may leave it so
        self.kept = 1

    def with_an_emission(self: Any) -> None:
        self.emit(Said(Held()), kept="x")
        self.kept = 1

    for act, field in ((at_once, "count"), (on_the_way, "kept"), (with_an_emission, "kept")):
        with pytest.raises(ModelError) as caught:
            check(acting(act))
        assert caught.value.mistakes == (f"Doer 'p' in state 'done': Doer.{field} is 'x' (str); expected int",)


def test_a_monitor_is_checked_too() -> None:
    def hear(self: Any) -> None:
        self.heard = "x"

    ears = type("Ears", (Listener,), {"hear": hear})()
    with pytest.raises(ModelError, match=r"Ears 'm' in state 'on': Ears.heard is 'x' .str.; expected int"):
        check(acting(emits(Held()), monitors={"m": ears}))


def test_the_values_that_a_process_begins_with_are_checked_when_the_system_is_made() -> None:
    with pytest.raises(ModelError) as caught:
        System({"p": Actor(count="x", held=Held(point=Point("y"))), "q": Actor(kept=True)})  # type: ignore[arg-type]
    assert caught.value.mistakes == (
        "p: Point.x is 'y' (str); expected int",
        "p: Actor.count is 'x' (str); expected int",
        "q: Actor.kept is True (bool); expected int",
    )
    with pytest.raises(ModelError, match=r"m: Listener.heard is None; expected int"):
        System({"p": Actor()}, monitors={"m": Listener(heard=None)})  # type: ignore[arg-type]
    sloppy = type("Sloppy", (Actor,), {"__annotations__": {"name_": "str"}, "name_": None})
    with pytest.raises(ModelError, match=r"p: Sloppy.name_ is None; expected str"):
        System({"p": sloppy()})


def test_annotations_that_are_no_strings_are_the_same() -> None:
    kinds = {"colour": Colour, "word": Literal["a"], "pair": tuple[int, str], "maybe": int | None}
    defaults = {"colour": Colour.RED, "word": "a", "pair": (1, "a"), "maybe": None}
    wrong = {"colour": 1, "word": "b", "pair": (1,), "maybe": "x"}
    plain: Any = type("Plain", (Actor,), {"__annotations__": kinds, **defaults})
    assert check(System({"p": plain()})).verdict == "ok"
    for name, value in wrong.items():
        with pytest.raises(ModelError, match=f"p: Plain.{name} is .*; expected "):
            System({"p": plain(**{name: value})})


def test_a_warm_table_is_not_held_against_anything_again(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = Graph(acting(sends(Held())))
    simulate(graph, Uniform(1))
    asked: list[object] = []
    monkeypatch.setattr("sim.machine.handler.mismatches", lambda *a: asked.append(a) or ())
    monkeypatch.setattr("sim.machine.handler.within_value", lambda *a: asked.append(a) or ())
    simulate(graph, Uniform(1))
    assert asked == []
    simulate(Graph(acting(sends(Held()))), Uniform(1))
    assert asked != []


def test_an_annotation_that_cannot_be_read_spoils_no_other() -> None:
    class Odd(Record):
        broken: Nowhere[  # type: ignore[name-defined]  # noqa: F821
            int
        ]
        whole: int

    assert list(annotations.mismatches(Odd, "broken", "x")) == []
    assert list(annotations.mismatches(Odd, "whole", "x")) == ["Odd.whole is 'x' (str); expected int"]
