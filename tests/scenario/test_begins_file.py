"""What was persisted goes into a file and comes out of it as it was."""

from __future__ import annotations

import json
from enum import Enum
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim import Message, Persisted, Persisting, Process, Record, System
from sim.scenario import scenario_text
from sim.scenario.beginning import read_beginning
from sim.scenario.document import read_document
from sim.scenario.mistakes import Mistakes
from sim.system import persisted_form
from sim.system.persisted_form import form_of
from tests.counts import examples
from tests.persisting import begun


class Colour(Enum):
    RED = "r"
    BLUE = "b"


class Spot(Record):
    x: int
    inner: Any = None


class Paint(Message):
    spot: Any


class Painter(Process):
    states = ("idle", "busy")
    timers = ("dry", "wet")
    durable = ("kept",)
    transitions = tuple({"trigger": trigger, "source": "*", "dest": None} for trigger in (Paint, "dry", "wet"))
    kept: Any = None
    held: Any = None


PLAIN = (
    st.none()
    | st.booleans()
    | st.integers(-(2**80), 2**80)
    | st.text(max_size=8)
    | st.binary(max_size=4)
    | st.sampled_from([*Colour])
    | st.sampled_from(["null", "3", "true", "'", '"', "'\"", "a: b", " # c", "\n", "\u2028", "é", "", "[1]"])
)
VALUES = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner, max_size=3).map(tuple)
        | st.frozensets(inner, max_size=3)
        | st.builds(Spot, x=st.integers(), inner=inner)
    ),
    max_leaves=6,
)
ONES = st.builds(
    Persisting,
    st.sampled_from(Painter.states),
    st.fixed_dictionaries({"kept": VALUES, "held": VALUES}),
    st.dictionaries(st.sampled_from(Painter.timers), st.tuples(st.integers(0, 9_999), st.integers(10_000, 99_999))),
    up=st.booleans(),
)
FLYING = st.tuples(st.sampled_from(["p", "q"]), st.sampled_from(["p", "q"]), st.builds(Paint, VALUES), st.booleans())
ALL = st.builds(
    Persisted,
    st.dictionaries(st.sampled_from(["p", "q"]), ONES),
    st.lists(FLYING, max_size=3).map(tuple),
    notes=st.lists(st.text("ab'\" :#"), max_size=2).map(tuple),
)


def painters(persisted: Persisted) -> System:
    return System({"p": Painter(), "q": Painter()}, begins=persisted)


def through_a_file(system: System) -> System:
    """The same system, begun as the file says."""
    text = scenario_text({"model": "m", "begins": form_of(system)})
    mistakes = Mistakes("f")
    tree = read_document(text, mistakes)
    mistakes.raise_any()
    assert tree is not None
    return read(system, tree.plain().get("begins"))


def read(system: System, data: Any) -> System:
    persisted, wrong = read_beginning(data or {}, system)
    assert not wrong, [(one.path, one.mistake) for one in wrong]
    return system.with_(begins=persisted)


def same(one: System, other: System) -> bool:
    """Whether they begin alike; 1 and True are two."""
    return json.dumps(form_of(one)) == json.dumps(form_of(other)) and one.begins == other.begins


@given(ALL)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_every_value_comes_back(persisted: Persisted) -> None:
    system = painters(persisted)
    assert same(through_a_file(system), system)
    assert same(read(system, json.loads(json.dumps(form_of(system)))), system)


@given(begun())
@settings(max_examples=examples(50), suppress_health_check=list(HealthCheck), deadline=None)
def test_every_system_comes_back(system: System) -> None:
    if system.begins is not None:
        assert same(through_a_file(system), system)


EVERYTHING = Persisted(
    {
        "p": Persisting("busy", {"kept": (1, Colour.RED), "held": frozenset({Spot(1, b"x")})}, {"dry": (5, 9)}),
        "q": Persisting("idle", {"kept": "3"}, up=False),
    },
    (("p", "q", Paint('it\'s "so"')), ("q", "p", Paint(Spot(2)), True)),
    notes=("a: b",),
)


def test_a_file_is_meant_to_be_read() -> None:
    assert (
        scenario_text({"begins": form_of(painters(EVERYTHING))})
        == r"""begins:
  persisted:
    p:
      state: busy
      fields:
        kept: '[1, {"@enum": "Colour.RED"}]'
        held: '{"@set": [{"@": "Spot", "x": 1, "inner": {"@bytes": "eA=="}}]}'
      timers:
        dry: "5ms..9ms"
    q:
      state: idle
      fields:
        kept: '"3"'
      up: false
  in_flight:
    - {"from": "p", "to": "q", "message": "{\"@\": \"Paint\", \"spot\": \"it's \\\"so\\\"\"}"}
    - {"from": "q", "to": "p", "message": '{"@": "Paint", "spot": {"@": "Spot", "x": 2, "inner": null}}', "again": true}
  notes:
    - "a: b"
"""
    )


@pytest.mark.parametrize("lost", ["state", "fields", "timers", "up"])
def test_what_is_left_out_of_a_file_is_missed(lost: str, monkeypatch: pytest.MonkeyPatch) -> None:
    system = painters(EVERYTHING)
    form = form_of(system)
    assert form is not None
    for one in form["persisted"].values():
        one.pop(lost, None)
        one.setdefault("state", "idle")
    assert not same(read(system, form), system)


def test_numbers_that_are_texts_are_told_from_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    system = painters(Persisted({"p": Persisting("idle", {"kept": "3", "held": 3})}))
    assert same(through_a_file(system), system)
    monkeypatch.setattr(persisted_form.json, "dumps", lambda value, **_: value)
    assert not same(read(system, form_of(system)), system)
