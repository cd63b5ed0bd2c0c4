"""Values as JSON, without loss: what was dumped is loaded as it was, and nothing else is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim import ConfigError, Message, Process, Record, System
from sim.base.values import encode
from sim.machine.codec import Codec, plain


class Colour(Enum):
    RED = 1
    GREEN = 2


class Point(Record):
    x: int
    y: Any = 0


@dataclass(frozen=True)
class Plain:
    name: str


class Sent(Message):
    point: Point
    colours: frozenset[Colour] = frozenset()


class Holder(Process):
    states = ("up",)
    point: Any = None


CODEC = Codec([Holder])
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**200), 2**200)
    | st.text()
    | st.binary()
    | st.sampled_from(Colour)
    | st.builds(Plain, st.text())
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner).map(tuple) | st.frozensets(inner, max_size=4) | st.builds(Point, st.integers(), inner)
    ),
    max_leaves=12,
)


@given(VALUES)
def test_a_value_comes_back_as_it_was(value: Any) -> None:
    text = json.dumps(CODEC.dump(value))
    assert encode(CODEC.load(json.loads(text))) == encode(value)


def test_what_would_be_the_same_in_plain_json_is_told_apart() -> None:
    """Which is why records, sets, members and bytes are marked."""
    alike = [(1, 2), frozenset({1, 2}), "RED", Colour.RED, Point(1), b"1", "1", 1, True]
    assert len({json.dumps(CODEC.dump(one)) for one in alike}) == len(alike)
    assert plain(CODEC.dump(Colour.RED)) == plain(CODEC.dump("RED"))  # as a log has it


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"@": "Pont", "x": 1}, "unknown class 'Pont' (did you mean 'Point'?)"),
        ({"@": "Point"}, "has a field 'x' without a default now, which was not kept"),
        ({"@": "Point", "x": 1, "z": 2}, "unknown field 'z'"),
        ({"@enum": "Colour.BLUE"}, "unknown member 'BLUE'"),
        ({"@enum": "os.path"}, "unknown class 'os'"),
        ({"a": 1}, "is not a value"),
        (1.5, "is not a value"),
        ({"@bytes": "%"}, "is not a value"),
        ({"@set": 3}, "is not a value"),
        ({"@": ["Point"], "x": 1}, "is not a value"),
        ({"@": "System"}, "unknown class 'System'"),
    ],
)
def test_what_was_not_dumped_is_refused_in_one_line(data: Any, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        CODEC.load(data)
    assert told in caught.value.mistakes[0]


def test_a_class_that_nobody_could_find_again_is_refused_when_it_is_dumped() -> None:
    class Hidden(Record):
        x: int

    with pytest.raises(ConfigError, match="Hidden cannot be kept"):
        CODEC.dump(Hidden(1))


def test_a_system_is_in_reach_and_no_value() -> None:
    assert System is not None
    assert "System" not in CODEC._kinds
