"""A session goes through JSON and comes back equal; data that is none, or contradicts itself, is refused by its field."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.metrics import MetricsError, SessionMetrics, TokenUsage

from .strategies import HISTORIES_WITH_SYNC, Call, replayed


def through_json(session: SessionMetrics) -> SessionMetrics:
    return SessionMetrics.from_dict(json.loads(json.dumps(session.to_dict())))


@given(HISTORIES_WITH_SYNC, st.integers(1, 4))
def test_a_session_comes_back_equal_and_goes_on_alike(history: list[Call], rows: int) -> None:
    session = replayed(history, rows=rows)
    back = through_json(session)
    assert back == session
    assert back.to_dict() == session.to_dict()
    for one in (session, back):
        one.record_turn(TokenUsage(10, 5), agent="claude", stage="plan", latency_ms=7, wasted="late")
    assert back == session
    assert back.merge(session) == session.merge(session)


def full() -> dict[str, Any]:
    session = SessionMetrics(2, rows=2)
    for number, agent in enumerate("abcd"):
        session.record_turn(TokenUsage(100, 50), agent=agent, run=f"r{number}", latency_ms=number, wasted="late")
    session.record_turn_without_usage(7)
    session.record_replay()
    data: dict[str, Any] = json.loads(json.dumps(session.to_dict()))
    return data


def _places(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    for key, value in data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ():
        yield from _places(value, (*path, key))


def _changed(path: tuple[Any, ...], value: Callable[[Any], Any]) -> dict[str, Any]:
    data = full()
    inner: Any = data
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value(inner[path[-1]])
    return data


@pytest.mark.parametrize("wrong", [-1, None, "x", 1.5, [], {}, True], ids=repr)
def test_whatever_is_put_into_a_record_it_is_refused_with_one_line_or_is_a_session(wrong: object) -> None:
    refused: list[str] = []
    for path in _places(full()):
        data = _changed(path, lambda _, wrong=wrong: copy.deepcopy(wrong))  # type: ignore[misc]
        try:
            back = SessionMetrics.from_dict(data)
        except MetricsError as error:
            refused.append(str(error))
        else:
            assert through_json(back) == back
    assert len(refused) > 40
    assert not [text for text in refused if "\n" in text]


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        (("turn_count",), 6, "turn_count is 6, but the rows of billed have 5 turns"),
        (("last_turn_at",), 6, "last_turn_at is 6, but turn_count is 5"),
        (("window",), 1, "window is 1; expected 1 or more, and at least the 2 of recent"),
        (("recent", 0, 0), 9, "recent has 100 tokens of turn 9"),
        (("rows",), 1, "billed has 2 rows in a table of 1"),
        (("billed", 0, 0, "input_tokens"), 101, "a row of billed: total_tokens is "),
        (("wasted", 1, 0, "turns"), 9, "wasted has more than the 5 turns"),
        (("latency", "count"), 3, "latency contradicts itself"),
        (("latency", "buckets", 0, 0), -5, "latency.buckets is -5"),
        (("latency", "buckets", 0, 0), 10**6, "latency.buckets has 1 in bucket 1000000"),
        (("version",), 2, "expected 'session_metrics' and 1"),
        (("last_turn", "total_tokens"), 1, "last_turn: total_tokens is 1"),
    ],
)
def test_a_record_that_contradicts_itself_is_refused_by_its_field(path: tuple[Any, ...], value: Any, says: str) -> None:
    with pytest.raises(MetricsError) as caught:
        SessionMetrics.from_dict(_changed(path, lambda _: value))
    assert says in str(caught.value)


def test_a_missing_and_an_unknown_key_are_named() -> None:
    data = full()
    del data["window"]
    with pytest.raises(MetricsError, match="session: window is missing, windows is not known"):
        SessionMetrics.from_dict({**data, "windows": 3})
    for other in (None, [], 5):
        with pytest.raises(MetricsError, match=r"session is a .*; expected a mapping"):
            SessionMetrics.from_dict(other)


def test_a_record_that_forgets_something_would_be_caught() -> None:
    """The saboteur: without one of its fields the session that comes back is another."""
    for path, value in [(("recent",), []), (("wasted", 0), []), (("replay_updates",), 0)]:
        assert SessionMetrics.from_dict(_changed(path, lambda _, value=value: value)) != SessionMetrics.from_dict(
            full()
        )  # type: ignore[misc]
