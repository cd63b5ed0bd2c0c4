"""Values and their one canonical encoding."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from enum import Enum, Flag, IntEnum
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim import Emission, Message, ModelError, Process, Record, System, check
from sim.base.values import Names, SortedSet, encode, freeze, show
from tests.walk import Walk

ROOT = Path(__file__).parents[2]


class Colour(Enum):
    RED = 1
    BLUE = 2


class Size(IntEnum):
    ONE = 1
    TWO = 2


class Point(Record):
    x: Any
    y: Any = 0


class Place(Record):
    x: Any
    y: Any = 0


def same(one: Any, two: Any) -> bool:
    """Whether two values are one, told apart by type: an independent definition."""
    if type(one) is not type(two) and not (isinstance(one, frozenset) and isinstance(two, frozenset)):
        return False
    if isinstance(one, tuple):
        return len(one) == len(two) and all(map(same, one, two))
    if isinstance(one, frozenset):
        mine, theirs = list(frozenset.__iter__(one)), list(frozenset.__iter__(two))
        return len(mine) == len(theirs) and all(any(same(a, b) for b in theirs) for a in mine)
    if isinstance(one, Record):
        return all(same(getattr(one, name), getattr(two, name)) for name in ("x", "y"))
    return bool(one == two)


ATOMS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-2, 2),
    st.text(),
    st.text(alphabet="a\x00\x01\xff", max_size=3),
    st.text(st.characters(categories=["Cs"]), max_size=2),
    st.binary(),
    st.binary(max_size=2),
    st.sampled_from([*Colour, *Size]),
)
VALUES = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(tuple),
        st.frozensets(inner, max_size=3),
        st.builds(Point, inner, inner),
        st.builds(Place, inner, inner),
    ),
    max_leaves=8,
)


@given(VALUES, VALUES)
def test_two_values_have_one_encoding_exactly_if_they_are_the_same(one: Any, two: Any) -> None:
    assert (encode(one) == encode(two)) is same(one, two)


@given(VALUES)
def test_a_value_frozen_is_the_same_value(value: Any) -> None:
    assert encode(freeze(value)) == encode(value)


NEIGHBOURS = [
    None, False, True, 0, 1, -1, 255, 256, -255, -256, "", "\x00", "\x00\x00", "\x01", "a", "1", b"", b"\x00", b"1", b"a",
    (), (1,), (True,), ((),), ((1,), 2), (1, (2,)), (1, 2), ("a", "b"), ("a\x00b",), ("ab",), frozenset(), frozenset({1}),
    frozenset({True}), frozenset({()}), frozenset({frozenset()}), (frozenset(),), Colour.RED, Size.ONE, Size.TWO,
    Point(1), Place(1), Point(True), Point(1, 1), Point((1, 0)), Point(Point(1)), "RED", "ONE", "\ud800", "\udfff",
]  # fmt: skip


def test_neighbours_are_all_told_apart_also_where_python_finds_them_equal() -> None:
    codes = [encode(value) for value in NEIGHBOURS]
    assert len(set(codes)) == len(NEIGHBOURS)


@given(st.lists(st.integers()))
def test_encodings_of_ints_sort_as_the_ints(numbers: list[int]) -> None:
    assert sorted(numbers, key=encode) == sorted(numbers)


@given(st.lists(st.text(alphabet="ab\x00\x01\x7f\xffé\U0001f600")))
def test_encodings_of_strings_sort_as_the_strings(texts: list[str]) -> None:
    assert sorted(texts, key=encode) == sorted(texts)


@given(st.lists(st.binary(max_size=4)))
def test_encodings_of_bytes_sort_as_the_bytes(raw: list[bytes]) -> None:
    assert sorted(raw, key=encode) == sorted(raw)


@given(st.lists(st.lists(st.tuples(st.integers(-3, 3), st.text(max_size=2)), max_size=3).map(tuple)))
def test_encodings_of_tuples_sort_as_the_tuples(tuples: list[tuple[Any, ...]]) -> None:
    assert sorted(tuples, key=encode) == sorted(tuples)


@pytest.mark.parametrize("power", [7, 8, 15, 16, 63, 64, 127, 128, 2_048])
def test_encodings_of_ints_sort_across_every_change_of_length(power: int) -> None:
    around = [sign * 2**power + near for sign in (-1, 1) for near in (-1, 0, 1)]
    assert sorted(around, key=encode) == sorted(around)


PROBE = """
import sys
sys.path.insert(0, {root!r})
from tests.core.test_values import NEIGHBOURS, Colour, Point
from sim.base.values import encode, freeze, show
words = frozenset('one two three four five six seven'.split())
nested = Point(words, (frozenset({{(w, Colour.RED) for w in words}}), frozenset({{frozenset({{w}}) for w in words}})))
print([encode(v).hex() for v in [*NEIGHBOURS, words, nested]], show(nested), list(freeze(words)), list(freeze(nested).y[1]))
"""


def test_encodings_and_sorted_views_are_the_same_under_every_hash_seed() -> None:
    outputs = {
        subprocess.run(
            [sys.executable, "-c", PROBE.format(root=str(ROOT))],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8:surrogatepass"},
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(outputs) == 1
    assert len(outputs.pop()) > 1_000


# --- sorted views -----------------------------------------------------------------------------------------


@given(st.frozensets(ATOMS), st.frozensets(ATOMS))
def test_operators_on_sorted_views_give_sorted_views(one: frozenset[Any], two: frozenset[Any]) -> None:
    view = SortedSet(one)
    for other in (two, SortedSet(two)):
        results = [
            (view | other, one | two),
            (view & other, one & two),
            (view - other, one - two),
            (view ^ other, one ^ two),
            (other | view, two | one),
            (other & view, two & one),
            (other - view, two - one),
            (other ^ view, two ^ one),
            (view.union(other), one | two),
            (view.intersection(other), one & two),
            (view.difference(other), one - two),
            (view.symmetric_difference(other), one ^ two),
            (view.copy(), one),
        ]
        for found, expected in results:
            assert type(found) is SortedSet
            assert found == expected
            codes = [encode(item) for item in found]
            assert codes == sorted(codes)


def test_a_view_inside_of_anything_is_sorted_too() -> None:
    words = frozenset({"b", "a", "c"})
    frozen = freeze(Point((words, frozenset({words})), Point(words)))
    assert type(frozen.x[0]) is type(frozen.x[1]) is type(frozen.y.x) is SortedSet
    assert type(next(iter(frozen.x[1]))) is SortedSet
    assert (list(frozen.x[0]), tuple(frozen.y.x), sorted(frozen.y.x)) == (
        ["a", "b", "c"],
        ("a", "b", "c"),
        ["a", "b", "c"],
    )
    assert repr(frozen.x[0]) == "{'a', 'b', 'c'}"


class Words(Message):
    words: Any


class Said(Emission):
    words: Any


class Reader(Process):
    """Notes in which order it meets the words: in a field, a message, an emission, results of operators."""

    states = ("idle",)
    transitions = ({"trigger": Words, "source": "idle", "dest": None, "after": "read"},)
    own: frozenset[str] = frozenset({"e", "d", "f"})
    met: tuple[str, ...] = ()

    def on_start(self) -> None:
        self.send(self.name, Words(frozenset({("b", frozenset({"y", "x"})), ("a", frozenset({"z"}))})))

    def read(self, message: Words) -> None:
        self.own |= {"c"}
        self.met = tuple(self.own) + tuple(n + "".join(inner) for n, inner in message.words)
        self.emit(Said(frozenset({"q", "p"})))


def test_a_handler_meets_sets_in_sorted_order_only() -> None:
    walk = Walk(System({"reader": Reader()}))
    (action,) = walk.graph.actions(walk.state)
    walk.state = walk.graph.apply(walk.state, action)
    assert walk.view("reader").met == ("c", "d", "e", "f", "az", "bxy")
    assert "".join(action.outputs[-1].emission.words) == "pq"


# --- what is no value -------------------------------------------------------------------------------------


class Loose:
    pass


class Longer(int):
    pass


class Named(str):
    __slots__ = ()


@dataclass
class Soft:
    x: int = 1


class Bits(Flag):
    A = 1
    B = 2


REFUSED = [
    (1.0, "1.0 (float) is not a value: use an integer (of a smaller unit) or a ratio of two"),
    ([1], "[1] (list) is not a value: use a tuple"),
    ({1}, "{1} (set) is not a value: use a frozenset"),
    ({1: 2}, "{1: 2} (dict) is not a value: use a frozenset or a tuple of pairs"),
    (bytearray(b"x"), "bytearray(b'x') (bytearray) is not a value: use bytes"),
    (Longer(1), "1 (Longer) is not a value: it is a subclass of int: use int itself, or a Record"),
    (Named("x"), "'x' (Named) is not a value: it is a subclass of str"),
    (Soft(), "a Soft is not a value: make the dataclass frozen, or a Record"),
    (Point, "the class Point is not a value: a class is not data"),
    (Loose(), "a Loose is not a value: use None, bool, int, str"),
    (1j, "a complex is not a value"),
    (len, "a builtin_function_or_method is not a value"),
    (Bits.A | Bits.B, "is not a value: a combination of flags has no name; use a frozenset of members"),
    (Bits(0), "is not a value: a combination of flags has no name; use a frozenset of members"),
]


@pytest.mark.parametrize(("value", "text"), REFUSED)
@pytest.mark.parametrize("wrap", [lambda v: v, lambda v: (1, v), lambda v: Point(v), lambda v: ((Point((v,)),),)])
def test_what_is_no_value_is_refused_with_what_would_be_right(value: Any, text: str, wrap: Any) -> None:
    for act in (freeze, encode):
        with pytest.raises(ModelError) as caught:
            act(wrap(value))
        assert text in str(caught.value)
        assert "0x" not in str(caught.value)


def test_a_float_within_a_frozenset_is_refused() -> None:
    with pytest.raises(ModelError, match="use an integer"):
        freeze(frozenset({1.5}))


def test_single_flags_and_enum_members_are_values() -> None:
    assert len({encode(v) for v in (Bits.A, Bits.B, Colour.RED, Size.ONE, 1, True)}) == 6


# --- one class of each name -------------------------------------------------------------------------------


def _other(name: str, base: type, **body: Any) -> type:
    return type(name, (base,), {"__module__": __name__, **body})


def test_two_classes_of_one_name_are_refused() -> None:
    names = Names()
    encode((Point(1), frozenset({Colour.RED})), names)
    encode(Point(Place(2)), names)
    twin = _other("Point", Record, __annotations__={"x": "int"})
    with pytest.raises(ModelError, match="two classes are named Point"):
        encode((1, frozenset({twin(1)})), names)


def _remembers(names: Names, values: list[Any]) -> bool:
    """Whether values that are encoded with a memory, again and again and as parts of each other, have their encodings."""
    return all(encode(value, names) == encode(value) for value in (*values, *reversed(values), tuple(values)))


@given(st.lists(VALUES, max_size=3), st.integers(1, 4))
def test_what_is_remembered_of_an_encoding_is_the_encoding(values: list[Any], known_max: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sim.base.values.KNOWN_MAX", known_max)
        assert _remembers(Names(), values)


def test_a_memory_that_does_not_keep_its_values_would_take_one_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    def forgetful(self: Names, value: Any, kind: type, code: bytes) -> None:
        self._codes[id(value)] = None, code

    monkeypatch.setattr(Names, "note", forgetful)
    names = Names()
    assert not all(encode(Point(x), names) == encode(Point(x)) for x in range(100))


class Twins(Process):
    """Sends itself two messages whose classes have one name, and so one encoding."""

    states = ("idle",)
    transitions = ({"trigger": Words, "source": "idle", "dest": None},)
    first: Any
    second: Any

    def on_start(self) -> None:
        self.send(self.name, self.first)
        self.send(self.name, self.second)


def test_two_message_classes_of_one_name_in_one_system_are_refused_even_with_equal_fields() -> None:
    twin = _other("Words", Message, __annotations__={"words": "Any"})
    assert check(System({"t": Twins(first=Words(1), second=Words(1))})).verdict == "ok"
    with pytest.raises(ModelError, match="two classes are named Words"):
        check(System({"t": Twins(first=Words(1), second=twin(1))}))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "None"), (True, "True"), (-3, "-3"), ("ok", "ok"), ("two words", "'two words'"), ("", "''"),
        ("None", "'None'"), (b"x", "b'x'"), ((1,), "(1,)"), ((), "()"), ((1, "a"), "(1, a)"), (frozenset(), "{}"),
        (frozenset({"b", "a"}), "{a, b}"), (Colour.RED, "RED"), (Point(1), "Point(x=1, y=0)"),
    ],
)  # fmt: skip
def test_values_are_shown_as_a_person_would_write_them(value: Any, text: str) -> None:
    assert show(value) == text
