"""Loop warnings at their thresholds, and the rule by which repeated items are dropped and counted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.metrics import SessionMetrics, TokenUsage
from sim.metrics.loops import LoopCause, ReplayFilter, Severity


def session_with(replays: int = 0, duplicates: int = 0) -> SessionMetrics:
    session = SessionMetrics()
    for _ in range(replays):
        session.record_replay()
    session.record_duplicate_items(duplicates)
    return session


CRITICAL, WARNING = Severity.CRITICAL, Severity.WARNING
REPLAYS, DUPLICATES = LoopCause.REPLAYS, LoopCause.DUPLICATES


@pytest.mark.parametrize(
    ("replays", "duplicates", "expected"),
    [
        (0, 0, None),
        (1, 2, None),
        (0, 3, (WARNING, DUPLICATES, 3)),
        (1, 100, (WARNING, DUPLICATES, 100)),
        (2, 0, (WARNING, REPLAYS, 2)),
        (3, 3, (WARNING, REPLAYS, 3)),  # replay wins
        (4, 0, (CRITICAL, REPLAYS, 4)),
        (9, 9, (CRITICAL, REPLAYS, 9)),
    ],
)
def test_thresholds(replays: int, duplicates: int, expected: tuple[Severity, LoopCause, int] | None):
    warning = session_with(replays, duplicates).loop_warning()
    found = None if warning is None else (warning.severity, warning.cause, warning.count)
    assert found == expected


def test_the_sentence_says_that_the_count_is_cumulative():
    warning = session_with(replays=4).loop_warning()
    assert warning is not None
    assert warning.sentence == "4 updates replayed so far: the session may be looping"
    assert session_with(duplicates=3).snapshot().as_dict()["loop_warning"] == {
        "severity": "warning",
        "cause": "duplicate_items",
        "count": 3,
        "sentence": "3 duplicate items dropped so far: the session may be looping",
    }


def test_ordinary_turns_raise_no_warning():
    session = SessionMetrics()
    for _ in range(50):
        session.record_turn(TokenUsage(10, 10))
    assert session.loop_warning() is None


# --- the duplicate rule -----------------------------------------------------------------------


def filtered(expected: list[str], tail: list[str]) -> tuple[list[str], int, int]:
    session = SessionMetrics()
    items = ReplayFilter[str](session, is_user=lambda item: item.startswith("u"))
    items.expect(expected)
    return items.admit(tail), session.duplicate_items, session.replay_updates


@pytest.mark.parametrize(
    ("expected", "tail", "kept", "duplicates", "replays"),
    [
        (["a", "b"], ["u", "a", "b"], [], 2, 1),  # n = 3: n-1 duplicates, one replay
        (["a"], ["u", "a"], [], 1, 1),
        (["a", "b"], ["a", "b"], [], 2, 0),  # in order, but no user item before: no replay
        (["a", "b"], ["a", "b", "c"], ["c"], 2, 0),
        (["a", "b"], ["a", "x", "b"], ["x", "b"], 1, 0),  # the mismatch ends the expectation
        (["a", "b"], ["u", "a"], ["u", "a"], 0, 0),  # not exactly what was expected
        (["a", "b"], ["u", "a", "b", "c"], ["u", "a", "b", "c"], 0, 0),
        (["a", "b"], ["x", "a", "b"], ["x", "a", "b"], 0, 0),  # x is not the user's
        ([], ["u", "a"], ["u", "a"], 0, 0),
        ([], ["u"], ["u"], 0, 0),
        (["a"], [], [], 0, 0),
    ],
)
def test_the_duplicate_rule(expected: list[str], tail: list[str], kept: list[str], duplicates: int, replays: int):
    assert filtered(expected, tail) == (kept, duplicates, replays)


def test_an_expectation_spans_updates_until_it_is_met_or_broken():
    session = SessionMetrics()
    items = ReplayFilter[str](session, is_user=lambda item: item == "u")
    items.expect(["a", "b", "c"])
    assert items.admit(["a"]) == []
    assert items.admit(["b", "x"]) == ["x"]
    assert items.admit(["c"]) == ["c"]
    assert session.duplicate_items == 2


@given(st.lists(st.sampled_from("abu"), max_size=5), st.lists(st.sampled_from("abu"), max_size=6))
def test_what_is_dropped_is_what_is_counted(expected: list[str], tail: list[str]):
    kept, duplicates, replays = filtered(expected, tail)
    assert len(kept) + duplicates + replays == len(tail)  # a replay drops its user item besides
    assert kept == tail[len(tail) - len(kept) :]
