"""Addresses: actions named by their meaning, read back as written."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim import AgentTimeout, ConfigError, Message, Process, RateLimited, Record
from sim.base.values import Emission
from sim.graph.action import Action, Kind
from sim.machine.outputs import Emit, Send, Write
from sim.system.network import Envelope
from sim.world.address import parse_address


class Mood(Enum):
    GOOD = 1


class Inner(Record):
    x: Any


class Ask(Message):
    body: Any = 0
    more: Any = None


class Said(Emission):
    pass


NASTY = st.sampled_from(
    [
        "x crashing after y",
        "x crashing at once",
        "a, b",
        "it's",
        'say "no"',
        "(",
        ")",
        "{",
        "\\",
        "\n",
        "#2",
        " under x",
        "=",
        "choosing a",
        "é",
        "",
    ]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | NASTY
    | st.text(max_size=4)
    | st.binary(max_size=3)
    | st.just(Mood.GOOD),
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.frozensets(inner, max_size=2) | st.builds(Inner, inner),
    max_leaves=4,
)
NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.-]{0,6}", fullmatch=True)
OUTPUTS = st.lists(
    st.sampled_from([Write("kept", 1), Send("b", Ask(1)), Send("c", Ask(1)), Emit(Said())]), max_size=4
).map(tuple)


@st.composite
def actions(draw: st.DrawFn) -> Action:
    kind = draw(st.sampled_from(list(Kind)))
    process = draw(NAMES)
    outputs = draw(OUTPUTS)
    inside = kind in (Kind.DELIVER, Kind.FIRE, Kind.MOVE, Kind.RESTART)
    options: dict[str, Any] = {}
    if inside:
        options["choices"] = tuple(draw(st.lists(VALUES, max_size=2)))
        options["all_outputs"] = outputs
        options["window"] = draw(st.none() | st.integers(0, len(outputs)))
    if kind in (Kind.DELIVER, Kind.DROP, Kind.DUPLICATE):
        ask = Ask(draw(VALUES), draw(VALUES))
        options["envelope"] = Envelope(draw(NAMES), process, ask)
        if kind is Kind.DELIVER:
            options["fault"] = draw(
                st.sampled_from([None, AgentTimeout(ask), RateLimited(ask), RateLimited(ask, 1_500)])
            )
            options["reordered"] = draw(st.booleans())
    elif kind in (Kind.FIRE, Kind.MOVE):
        options["subject"] = draw(st.sampled_from(["retry", "stop_2"]))
    elif kind in (Kind.CUT, Kind.HEAL):
        options["subject"], process = process, ""
    return Action(kind, process=process, **options)


@given(actions())
def test_an_address_read_back_means_its_action(action: Action) -> None:
    text = str(action.address)
    pattern = parse_address(text)
    assert str(pattern) == text
    assert pattern.fits(action.address)


@given(actions(), actions())
def test_an_address_of_one_action_does_not_mean_another(one: Action, two: Action) -> None:
    pattern = parse_address(str(one.address))
    if pattern.fits(two.address):
        meant = two.address  # choices and a hint may be left out; where both are enabled, replay says so
        meant = meant if pattern.choosing is not None else replace(meant, choosing=None)
        if pattern.under and "(" not in pattern.under:
            meant = replace(meant, under=(meant.under or "").partition("(")[0])
        assert str(meant) == str(one.address)


def test_two_actions_apart_by_their_choices_alone_are_told_apart_by_a_full_address() -> None:
    plain, chosen = (Action(Kind.FIRE, process="a", subject="retry", choices=choices) for choices in ((), (None,)))
    assert not parse_address(str(chosen.address)).fits(plain.address)
    assert parse_address(str(plain.address)).fits(chosen.address)


ASK = Action(Kind.DELIVER, envelope=Envelope("a", "b", Ask(1, "two")), choices=("ok", 3)).address


@pytest.mark.parametrize(
    "text",
    [
        "deliver a->b Ask",
        "deliver a -> b Ask(body=1)",
        "deliver a->b Ask( more = two )",
        "deliver a->b Ask(more='two', body=1)",
        'deliver a->b Ask(more="two") #3 choosing ok, 3',
        "  deliver   a->b Ask choosing 'ok',3  ",
    ],
)
def test_a_pattern_may_leave_out_fields_and_choices(text: str) -> None:
    assert parse_address(text).fits(ASK)


@pytest.mark.parametrize(
    "text",
    [
        "deliver a->c Ask",
        "deliver b->a Ask",
        "deliver a->b Tell",
        "deliver a->b Ask(body=2)",
        "deliver a->b Ask(body='1')",
        "deliver a->b Ask(other=1)",
        "drop a->b Ask",
        "deliver a->b Ask under agent_timeout",
        "deliver a->b Ask reordered",
        "deliver a->b Ask choosing ok",
        "deliver a->b Ask choosing no, 3",
        "deliver a->b Ask crashing at once",
    ],
)
def test_a_pattern_that_says_something_else_does_not_fit(text: str) -> None:
    assert not parse_address(text).fits(ASK)


def test_a_rate_limit_may_leave_out_its_hint() -> None:
    limited = Action(Kind.DELIVER, envelope=Envelope("a", "b", Ask()), fault=RateLimited(Ask(), 1_500)).address
    assert str(limited) == "deliver a->b Ask(body=0, more=None) under rate_limited(1.5s)"
    assert parse_address("deliver a->b Ask under rate_limited").fits(limited)
    assert parse_address("deliver a->b Ask under rate_limited(1.5s)").fits(limited)
    assert not parse_address("deliver a->b Ask under rate_limited(2s)").fits(limited)
    assert not parse_address("deliver a->b Ask").fits(limited)


def test_a_crash_window_is_named_by_the_last_output_before_it() -> None:
    outputs = (Send("b", Ask()), Write("kept", 1), Send("c", Ask()), Emit(Said()))
    names = [str(Action(Kind.MOVE, process="p", subject="go", all_outputs=outputs, window=n).address) for n in range(5)]
    assert names == [
        "move p.go crashing at once",
        "move p.go crashing after Ask",
        "move p.go crashing after writing kept",
        "move p.go crashing after Ask #2",
        "move p.go crashing after Said",
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("delivr a->b Ask", "unknown action 'delivr' (did you mean 'deliver'?)"),
        ("", "unknown action ''"),
        ("deliver Ask", "write deliver source->target Type(field=value)"),
        ("deliver a->b", "write deliver source->target"),
        ("deliver a->b Ask(body=1", "is never closed"),
        ("deliver a->b Ask(body)", "'body' is not of the form field=value"),
        ("deliver a->b Ask(=1)", "is not of the form field=value"),
        ("deliver a->b Ask #x", "is not understood"),
        ("deliver a->b Ask crashing sometime", "is not understood"),
        ("deliver a->b Ask choosing ok under agent_timeout", "is not understood"),
        ("fire retry", "write fire process.timer, such as coordinator.retry"),
        ("move .stop", "write move process.move"),
        ("crash", "crash what? Write the name of a process"),
        ("cut", "cut what? Write the name of a cut"),
        ("crash a b", "is not understood"),
    ],
)
def test_what_is_no_address_is_one_line_that_says_what_would_be_right(text: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_address(text)
    assert says in str(caught.value)
    assert len(caught.value.mistakes) == 1


def test_a_process_class_shows_no_address_in_memory() -> None:
    assert "0x" not in repr(Action(Kind.CRASH, process="p"))
    assert issubclass(Process, object)
