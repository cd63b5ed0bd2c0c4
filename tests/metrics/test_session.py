"""The rules of a session: totals, window, estimate, sync, reset, context, snapshot."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.metrics import NO_USAGE, MetricsError, SessionMetrics, TokenUsage

from .strategies import HISTORIES_WITH_SYNC, Call, play, replayed, usages

SMALL = TokenUsage(1000, 500)
LARGE = TokenUsage(4000, 2000)


def session_of(*turns: TokenUsage, window: int = 3) -> SessionMetrics:
    session = SessionMetrics(window)
    for usage in turns:
        session.record_turn(usage)
    return session


# --- known values -----------------------------------------------------------------------------


def test_two_turns_give_the_known_totals_and_estimate():
    session = session_of(SMALL, LARGE)
    assert session.running_total == TokenUsage(5000, 2500)
    assert session.last_turn == LARGE
    assert session.turn_count == 2
    assert session.estimated_next_prompt_tokens() == 2500


def test_an_empty_session_estimates_4000():
    session = SessionMetrics()
    assert session.estimated_next_prompt_tokens() == 4000
    assert session.running_total == session.last_turn == NO_USAGE
    assert (session.turn_count, session.replay_updates, session.duplicate_items) == (0, 0, 0)
    assert not session.has_recorded_usage()
    assert session.billed() == ()


def test_sync_absolute_reseeds_the_window_with_the_last_turn():
    session = session_of(SMALL, SMALL, SMALL)
    session.record_replay()
    session.record_duplicate_items(2)
    session.sync_absolute(TokenUsage(90_000, 9000), TokenUsage(8000, 10, cached_input_tokens=1000), 12)
    assert session.running_total == TokenUsage(90_000, 9000)
    assert session.turn_count == 12
    assert (session.replay_updates, session.duplicate_items) == (0, 0)
    assert session.recent_prompt_tokens() == (7000,)
    assert session.estimated_next_prompt_tokens() == 7000
    session.record_turn(SMALL)
    assert session.running_total == TokenUsage(91_000, 9500)
    assert session.turn_count == 13
    assert session.estimated_next_prompt_tokens() == 4000  # the mean of 7000 and 1000


def test_a_window_of_zero_behaves_as_one():
    session = session_of(SMALL, LARGE, window=0)
    assert session.window == 1
    assert session.estimated_next_prompt_tokens() == 4000
    assert session_of(SMALL, LARGE, window=1) == session


# --- window and estimate ----------------------------------------------------------------------


def test_the_window_holds_three_prompts_by_default_and_forgets_the_oldest():
    session = session_of(*(TokenUsage(prompt, 1) for prompt in (100, 200, 300, 400)))
    assert session.recent_prompt_tokens() == (200, 300, 400)
    assert session.estimated_next_prompt_tokens() == 300


def test_the_estimate_is_an_integer_mean():
    assert session_of(TokenUsage(1, 0), TokenUsage(2, 0)).estimated_next_prompt_tokens() == 1


def test_the_window_observes_what_was_not_cached():
    session = session_of(TokenUsage(1000, 0, cached_input_tokens=600))
    assert session.recent_prompt_tokens() == (400,)


def test_zero_observations_are_not_pushed():
    session = session_of(SMALL, TokenUsage(900, 5, cached_input_tokens=900), TokenUsage(0, 5))
    session.record_turn_without_usage()
    session.record_turn_without_usage(0)
    assert session.recent_prompt_tokens() == (1000,)
    assert session.turn_count == 5


def test_a_last_turn_without_new_input_falls_back_to_4000():
    assert session_of(TokenUsage(900, 5, cached_input_tokens=900)).estimated_next_prompt_tokens() == 4000
    synced = SessionMetrics()
    synced.sync_absolute(SMALL, NO_USAGE, 1)
    assert synced.estimated_next_prompt_tokens() == 4000


@given(st.lists(usages(), max_size=10), st.integers(0, 5))
def test_the_estimate_is_the_mean_of_the_last_nonzero_prompts(turns: list[TokenUsage], window: int):
    observed = [usage.non_cached_input for usage in turns if usage.non_cached_input][-max(1, window) :]
    expected = sum(observed) // len(observed) if observed else 4000
    assert session_of(*turns, window=window).estimated_next_prompt_tokens() == expected


# --- turns without usage ----------------------------------------------------------------------


def test_a_turn_without_usage_counts_and_may_guess_its_prompt():
    session = session_of(SMALL)
    session.record_turn_without_usage(3000, agent="late", stage="plan")
    assert session.turn_count == 2
    assert session.running_total == SMALL
    assert session.last_turn == SMALL
    assert session.estimated_next_prompt_tokens() == 2000
    late = session.by_agent()["late"]
    assert (late.turns, late.unreported, late.usage) == (1, 1, NO_USAGE)


# --- sync and reset ---------------------------------------------------------------------------


def test_reset_forgets_everything_but_window_and_bounds():
    session = SessionMetrics(5, rows=7)
    session.record_turn(SMALL, agent="a", latency_ms=5)
    session.record_replay()
    session.record_duplicate_items(9)
    session.reset()
    assert session == SessionMetrics(5, rows=7)
    session.record_turn(LARGE, agent="b")
    assert session.running_total == LARGE
    assert list(session.by_agent()) == ["b"]


def test_sync_keeps_the_breakdown_and_leaves_the_rest_unattributed():
    session = SessionMetrics()
    session.record_turn(SMALL, agent="gemini", stage="plan", latency_ms=100, wasted="late")
    session.record_turn(SMALL)
    session.sync_absolute(LARGE, SMALL, 3)
    assert {name: (share.turns, share.usage) for name, share in session.by_agent().items()} == {
        "": (2, TokenUsage(3000, 1500)),
        "gemini": (1, SMALL),
    }
    assert (session.running_total, session.turn_count) == (LARGE, 3)
    assert session.latency_percentile_ms(100) == 100
    assert [row.reason for row in session.wasted()] == ["late"]
    session.sync_absolute(SMALL, SMALL, 1)  # gemini's turn was all of it
    assert list(session.by_agent()) == ["gemini"]


@pytest.mark.parametrize(
    ("total", "turns", "says"),
    [
        (TokenUsage(999, 500), 2, "input_tokens is 999, but 1000 of them are billed by name here"),
        (TokenUsage(2000, 499), 2, "output_tokens is 499, but 500"),
        (TokenUsage(2000, 900), 0, "turns is 0, but 1 of them are"),
        (
            TokenUsage(1001, 500, cached_input_tokens=2),
            1,
            "less what is billed by name here cannot be: cached_input_tok",
        ),
    ],
)
def test_a_sync_to_less_than_is_billed_is_refused_and_changes_nothing(total: TokenUsage, turns: int, says: str):
    session = SessionMetrics()
    session.record_turn(SMALL, agent="gemini")
    before = copy.deepcopy(session)
    with pytest.raises(MetricsError, match=says):
        session.sync_absolute(total, SMALL, turns)
    assert session == before
    session.reset()
    session.sync_absolute(total, SMALL, turns)
    assert session.running_total == total


def test_a_sync_to_nothing_leaves_no_row():
    session = session_of(SMALL)
    session.sync_absolute(NO_USAGE, NO_USAGE, 0)
    assert session == SessionMetrics()


# --- errors leave the session as it was ----------------------------------------------------------


@pytest.mark.parametrize(
    "call",
    [
        Call("record_turn", (SMALL,), (("latency_ms", -1),)),
        Call("record_turn", (SMALL,), (("latency_ms", float("nan")),)),
        Call("record_turn", (SMALL,), (("latency_ms", True),)),
        Call("record_turn", (SMALL,), (("agent", None),)),
        Call("record_turn", (SMALL,), (("stage", 3),)),
        Call("record_turn", (SMALL,), (("run", 7),)),
        Call("record_turn", (SMALL,), (("attempt", -1),)),
        Call("record_turn", (SMALL,), (("attempt", "1"),)),
        Call("record_turn_without_usage", (-1,)),
        Call("record_turn_without_usage", (5,), (("agent", 1),)),
        Call("record_duplicate_items", (-1,)),
        Call("record_duplicate_items", (1.5,)),
        Call("sync_absolute", (LARGE, SMALL, -1)),
    ],
)
def test_a_refused_call_leaves_the_session_unchanged(call: Call):
    session = session_of(SMALL)
    before = copy.deepcopy(session)
    with pytest.raises(MetricsError):
        getattr(session, call.method)(*call.args, **dict(call.labels))
    assert session == before


def test_what_is_no_usage_at_all_changes_nothing_either():
    session = session_of(SMALL)
    before = copy.deepcopy(session)
    not_a_usage: Any = {"input_tokens": 3}
    with pytest.raises(AttributeError):
        session.record_turn(not_a_usage, agent="new")
    assert session == before


@pytest.mark.parametrize(
    "arguments", [{"window": -1}, {"window": 2.0}, {"window": 10**6 + 1}, {"rows": 0}, {"rows": True}]
)
def test_sizes_that_are_none_are_refused(arguments: dict[str, Any]):
    with pytest.raises(MetricsError):
        SessionMetrics(**arguments)


# --- context --------------------------------------------------------------------------------------


def test_utilisation_is_of_the_last_prompt_cache_included():
    session = session_of(TokenUsage(100_000, 10), TokenUsage(50_000, 10, cached_input_tokens=40_000))
    assert session.context_utilisation(200_000) == 0.25
    assert session.snapshot().context_utilisation(200_000) == 0.25
    with pytest.raises(MetricsError, match="context_window is 0; expected 1 or more"):
        session.context_utilisation(0)


@pytest.mark.parametrize(("transcript", "due"), [(155_999, False), (156_000, True), (500_000, True)])
def test_compaction_is_due_from_80_percent_of_the_window(transcript: int, due: bool):
    session = SessionMetrics()  # estimates 4000; 156,000 + 4000 is 80 % of 200,000
    due_now = session.compaction_due(transcript_tokens=transcript, messages=500, context_window=200_000)
    assert due_now is due


@pytest.mark.parametrize(("messages", "due"), [(119, False), (120, True)])
def test_compaction_of_an_unknown_window_goes_by_messages(messages: int, due: bool):
    session = SessionMetrics()
    due_now = session.compaction_due(transcript_tokens=10**9, messages=messages, context_window=None)
    assert due_now is due


# --- snapshot -------------------------------------------------------------------------------------


@given(HISTORIES_WITH_SYNC, HISTORIES_WITH_SYNC)
def test_a_snapshot_stays_what_it_was(history: list[Call], more: list[Call]):
    session = replayed(history)
    snapshot = session.snapshot()
    assert snapshot == session.snapshot()
    written = json.dumps(snapshot.as_dict())
    play(session, more)
    assert json.dumps(snapshot.as_dict()) == written
    assert snapshot == replayed(history).snapshot()


def test_a_snapshot_cannot_be_changed_and_says_what_the_session_says():
    session = session_of(SMALL, LARGE)
    snapshot = session.snapshot()
    with pytest.raises(AttributeError):
        snapshot.turn_count = 5
    assert snapshot.by_agent() == session.by_agent()
    assert snapshot.by_stage() == session.by_stage()
    told = snapshot.as_dict()
    assert told["running_total"]["total_tokens"] == 7500
    assert told["estimated_next_prompt_tokens"] == 2500
    assert told["latency"]["p50_ms"] is None
    assert json.loads(json.dumps(told)) == told


@given(HISTORIES_WITH_SYNC)
def test_a_session_survives_pickling_and_copying(history: list[Call]):
    session = replayed(history)
    for twin in (pickle.loads(pickle.dumps(session)), copy.deepcopy(session)):
        assert twin == session
        twin.record_turn(SMALL, agent="only the twin")
        assert twin != session
        assert twin.running_total == session.running_total + SMALL


def test_repr_is_short():
    assert repr(session_of(SMALL)) == "<SessionMetrics: 1 turns, 1500 tokens>"
    assert SessionMetrics() != 3


# --- waste ---------------------------------------------------------------------------------------


def test_what_did_not_count_is_told_by_agent_and_reason_and_is_part_of_the_total():
    session = SessionMetrics()
    session.record_turn(SMALL, agent="gemini")
    session.record_turn(SMALL, agent="gemini", wasted="late")
    session.record_turn(LARGE, agent="gemini", wasted="late")
    session.record_turn_without_usage(agent="claude", wasted="lost")
    assert [row.as_dict() for row in session.wasted()] == [
        {"agent": "claude", "reason": "lost", "turns": 1, "unreported": 1, **NO_USAGE.as_dict()},
        {"agent": "gemini", "reason": "late", "turns": 2, "unreported": 0, **(SMALL + LARGE).as_dict()},
    ]
    assert session.turn_count == 4
    assert session.running_total == SMALL + SMALL + LARGE
    assert session.snapshot().as_dict()["wasted"] == [row.as_dict() for row in session.wasted()]


def test_waste_is_bounded_and_folds_the_largest_names():
    session = SessionMetrics(rows=2)
    for agent in "dcba":
        session.record_turn(SMALL, agent=agent, wasted="late")
    assert [(row.agent, row.share.turns) for row in session.wasted()] == [("a", 1), ("b", 1), ("(other)", 2)]


def test_a_reason_that_is_no_text_is_refused_and_nothing_is_counted():
    session = SessionMetrics()
    for call in (lambda: session.record_turn(SMALL, wasted=5), lambda: session.record_turn_without_usage(wasted=5)):  # type: ignore[arg-type]
        with pytest.raises(MetricsError, match="wasted is 5"):
            call()
    assert session == SessionMetrics()
