"""Durations with units."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim import ConfigError
from sim.base.durations import parse_duration, parse_range, show_duration, show_range


@pytest.mark.parametrize(
    ("text", "ms"),
    [("0ms", 0), ("250ms", 250), ("1.5s", 1_500), (" 30 s ", 30_000), ("2m", 120_000), ("2min", 120_000), ("1h", 3_600_000),
     ("7d", 604_800_000), ("0.001s", 1), ("1.000s", 1_000)],
)  # fmt: skip
def test_durations_are_whole_milliseconds(text: str, ms: int) -> None:
    assert parse_duration(text) == ms


@pytest.mark.parametrize(
    "text", ["", "5", "s", "-1s", "1 fortnight", "1e3s", "0.5ms", "1,5s", "1s2ms", "inf", "1S", "٣s", "1" * 16 + "s"]
)
def test_what_is_no_duration_is_refused_in_one_line_that_quotes_it(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_duration(text)
    assert repr(text) in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.integers(0, 10**15 - 1))
def test_what_is_shown_is_read_back_exactly(ms: int) -> None:
    assert parse_duration(show_duration(ms)) == ms


@pytest.mark.parametrize(
    ("ms", "text"), [(0, "0ms"), (250, "250ms"), (1_000, "1s"), (1_500, "1.5s"), (90_000, "90s"), (1_001, "1.001s")]
)
def test_durations_are_shown_in_the_shortest_exact_spelling(ms: int, text: str) -> None:
    assert show_duration(ms) == text


@given(st.integers(0, 10**12), st.integers(0, 10**12))
def test_ranges_include_both_ends_and_are_read_back(low: int, width: int) -> None:
    assert parse_range(show_range(low, low + width)) == (low, low + width)


@pytest.mark.parametrize("text", ["5ms..1ms", "1ms..", "..1ms", "1..2ms", "1ms...2ms"])
def test_a_range_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_range(text)
