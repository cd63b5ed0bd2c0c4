"""Whatever a file holds, the loader gives a `Scenario` or a `ScenarioError`, and nothing else."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sim.base.errors import ScenarioError
from sim.scenario import Scenario, parse_scenario, scenario_text
from sim.scenario.beginning import KEYS as BEGINS
from sim.scenario.schema import ExpectShape, ScenarioShape, TimingShape

GOOD = [
    "model: toyshop\nseed: 3\nfaults: [drop:1, 'rate_limited:1(30s)']\ntiming: {latency: 5ms..9ms, links: {\"shop->*\": 1s}}\n",
    "model: toyshop\nschedule:\n  - fire buyer.retry\n  - deliver buyer->shop Order(number=1)\nthen: usual\n"
    "expect: {verdict: violated, violation: till, emitted: {Sold: 1}, states: {buyer: done}}\n",
    "model: toyshop\nconfig: {names: [a, b], polite: true, mood: bad}\nepoch: 2025-01-01T00:00:00Z\nsteps: 5\n",
    "model: toyshop\nschedule:\n  - repeat: n in 1..2, 7\n    do: [fire buyer.retry, {repeat: 3, do: ['deliver buyer->shop "
    "Order(number=$n)']}]\n",
    "model: toyshop\nmetrics: {window: 2, models: {buyer: m}, prices: {m: {input: 3, output: 0.5}}, budget_usd: 0.1}\n",
    "model: toyshop\nbegins:\n  persisted: {buyer: {state: waiting, fields: {}, timers: {retry: 5ms}, up: true}}\n"
    '  in_flight: [{from: buyer, to: shop, message: \'{"@": "Order", "number": 1}\', again: true}]\n  notes: [a]\n',
]
WORDS = [w for text in GOOD for w in re.findall(r"\w+|\W", text)]
TOKENS = st.sampled_from(
    [
        *WORDS,
        "\n  ",
        ": ",
        "- ",
        "&a ",
        "*a",
        "!!int ",
        "---\n",
        "|\n",
        ">\n",
        "'",
        '"',
        "\\",
        "\t",
        "%YAML 1.1\n",
        "? ",
        "\0",
        "é",
        "\u2028",
        "~",
    ]
)
LINE = re.compile(r"f\.yaml(:[1-9]\d*:[1-9]\d*)?: \S[^\n\r]*|f\.yaml: and \d+ more mistakes")


def judge(data: str | bytes) -> None:
    mistakes: tuple[str, ...] = ()
    try:
        scenario = parse_scenario(data, "f.yaml", allow=("toyshop",))
    except ScenarioError as error:
        mistakes = error.mistakes
    else:
        assert isinstance(scenario, Scenario)
        return
    assert mistakes
    for line in mistakes:
        assert LINE.fullmatch(line), line
        assert line.isprintable(), line


RELAXED = settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)


@RELAXED
@given(st.text())
@example("model: toyshop\n%")
@example("\ud800")
@example('model: toyshop\ndescription: "\\ud800"\n"\\udc00": 1\n')
def test_any_text(text: str) -> None:
    judge(text)


@RELAXED
@given(st.binary())
def test_any_bytes(data: bytes) -> None:
    judge(data)


@RELAXED
@given(st.lists(TOKENS, max_size=30).map("".join))
def test_any_heap_of_tokens(text: str) -> None:
    judge(text)
    judge(f"model: toyshop\n{text}")


@RELAXED
@given(st.sampled_from(GOOD), st.lists(st.tuples(st.integers(0, 300), st.integers(0, 6), TOKENS), max_size=4))
def test_any_mutation_of_a_good_file(text: str, cuts: list[tuple[int, int, str]]) -> None:
    for at, length, put in cuts:
        text = text[:at] + put + text[at + length :]
    judge(text)


SMALL = st.none() | st.booleans() | st.integers(-3, 2**70) | st.floats() | st.text(max_size=8) | st.sampled_from(WORDS)
VALUES = st.recursive(
    SMALL,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=5), inner, max_size=3)
    ),
)
KEYS = st.sampled_from(
    sorted({*ScenarioShape.model_fields, *TimingShape.model_fields, *ExpectShape.model_fields, *BEGINS})
)


@RELAXED
@given(
    st.dictionaries(KEYS, VALUES, max_size=5),
    st.dictionaries(KEYS, VALUES, max_size=3),
    st.sampled_from(["timing", "expect", "config", "begins", "none"]),
)
def test_any_values_at_the_right_keys(top: dict[str, object], inner: dict[str, object], where: str) -> None:
    try:
        text = scenario_text({**top, where: inner, "model": "toyshop"})
        text.encode()
    except UnicodeEncodeError:
        return
    judge(text)


MESSAGES = st.fixed_dictionaries({"from": SMALL, "to": SMALL, "message": VALUES}, optional={"again": SMALL})
ONES = st.fixed_dictionaries({"state": SMALL}, optional={"fields": VALUES, "timers": VALUES, "up": SMALL})


@RELAXED
@given(
    st.dictionaries(st.sampled_from(WORDS), ONES | VALUES, max_size=3), st.lists(MESSAGES | VALUES, max_size=3), VALUES
)
def test_any_beginning(persisted: object, flying: object, notes: object) -> None:
    try:
        begins = {"persisted": persisted, "in_flight": flying, "notes": notes}
        text = scenario_text({"model": "toyshop", "begins": begins})
        text.encode()
    except UnicodeEncodeError:
        return
    judge(text)


def test_the_good_files_are_good() -> None:
    """The saboteur of the mutations: a loader that refuses everything would pass."""
    for text in GOOD:
        assert isinstance(parse_scenario(text, "f.yaml", allow=("toyshop",)), Scenario)


def test_a_defect_of_the_loader_would_be_seen() -> None:
    """The saboteur of `judge`: an error of another class is no answer."""
    with pytest.raises(TypeError):
        judge(3)  # type: ignore[arg-type]


def test_deep_and_wide_files_are_answered() -> None:
    for text in (
        "[" * 100_000,
        "{a: " * 50_000,
        "- " * 100_000,
        "a:\n" + " " * 100_000 + "b",
        "? " * 50_000,
        "&a " * 50_000,
    ):
        judge(text)
        judge(f"model: toyshop\nconfig: {text}")
    judge("model: toyshop\nschedule:\n" + "- move buyer.stop\n" * 20_000)
    judge("model: toyshop\n" + "".join(f"k{i}: 1\n" for i in range(5_000)))
