"""`RetryPolicy`: its table, the profiles, what it refuses, and two properties."""

from __future__ import annotations

import ast
import doctest
import sys
from dataclasses import FrozenInstanceError, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.consensus.references.policies import FORK, UPSTREAM, UPSTREAM_OLD
from sim.consensus import retry as module
from sim.consensus.retry import (
    OURS,
    ErrorClass,
    ErrorKind,
    Fail,
    FailReason,
    Failure,
    RetryAfter,
    RetryPolicy,
    RetryState,
    kind_of_status,
)
from tests.models.consensus.retry_table import AUTH, GONE, HINTED, LIMIT, PLAIN, TABLE, TIMEOUT, Row, check


@pytest.mark.parametrize("row", TABLE, ids=[row[0] for row in TABLE])
def test_the_table(row: Row) -> None:
    check(RetryPolicy, [row])


def run(policy: RetryPolicy, *failures: Failure) -> list[tuple[int, int] | FailReason]:
    state, seen = policy.start(), list[tuple[int, int] | FailReason]()
    for failure in failures:
        match policy.decide(state, failure):
            case RetryAfter(low_ms, high_ms, state):
                seen.append((low_ms, high_ms))
            case Fail(reason):
                return [*seen, reason]
    return seen


def test_ours_waits_up_to_one_then_two_seconds_and_ends_after_three_attempts() -> None:
    assert run(OURS, TIMEOUT, TIMEOUT, TIMEOUT) == [(500, 1_000), (1_000, 2_000), FailReason.ATTEMPTS]
    assert run(OURS, Failure(ErrorKind.EMPTY), GONE) == [(500, 1_000), FailReason.PERMANENT]
    assert run(OURS, AUTH) == run(OURS, Failure(ErrorKind.UNKNOWN)) == [FailReason.PERMANENT]


def test_ours_takes_a_hint_as_long_as_the_budget_lasts() -> None:
    # 120 min - 20 min for the attempt - 5 s - 3 s = 5,992,000 ms
    assert run(OURS, Failure(LIMIT, 5_992_000)) == [(5_997_000, 6_000_000)]
    assert run(OURS, Failure(LIMIT, 5_992_001)) == [FailReason.WAIT]


def test_the_fork_waits_100_then_200_ms_and_up_to_half_more_three_attempts_in_all() -> None:
    assert run(FORK, TIMEOUT, TIMEOUT, TIMEOUT) == [(100, 150), (200, 300), FailReason.ATTEMPTS]
    assert run(FORK, HINTED, Failure(ErrorKind.UNKNOWN)) == [(100, 150), (200, 300)]
    assert run(FORK, AUTH) == [FailReason.PERMANENT]


def test_the_upstream_doubles_from_one_second_to_fifteen_minutes_for_seven_days() -> None:
    # 1 + 2 + ... + 512 s = 1,023 s; 7 days = 604,800 s; (604,800 - 1,023) / 900 = 670.86: 10 + 670 waits
    waits = run(UPSTREAM, *[TIMEOUT] * 1_000)
    assert waits[:3] == [(0, 1_000), (0, 2_000), (0, 4_000)]
    assert waits[9:12] == [(0, 512_000), (0, 900_000), (0, 900_000)]
    assert (len(waits), waits[-1]) == (681, FailReason.WAIT)


def test_the_upstream_changed_what_a_usage_limit_and_a_long_wait_do() -> None:
    limit, week = Failure(ErrorKind.USAGE_LIMIT), Failure(LIMIT, 7 * 24 * 3_600_000)
    assert run(UPSTREAM, limit) == [FailReason.PERMANENT]
    assert run(UPSTREAM_OLD, limit) == [(0, 1_000)]
    assert run(UPSTREAM, week) == [FailReason.WAIT]
    assert run(UPSTREAM_OLD, week, GONE) == [(604_805_000, 604_808_000), FailReason.BUDGET]


@pytest.mark.parametrize("policy", [OURS, UPSTREAM, UPSTREAM_OLD, FORK])
@pytest.mark.parametrize("hint", [None, 0])
def test_every_kind_has_one_class(policy: RetryPolicy, hint: int | None) -> None:
    classes = {kind: policy.classify(Failure(kind, hint)) for kind in ErrorKind}
    for kind in (ErrorKind.QUOTA, ErrorKind.AUTH, ErrorKind.NOT_INCLUDED, ErrorKind.REQUEST):
        assert classes[kind] is ErrorClass.PERMANENT
    for kind in (ErrorKind.STREAM, ErrorKind.CONNECT, ErrorKind.TIMEOUT, ErrorKind.SERVER):
        assert classes[kind] is ErrorClass.TRANSIENT
    waits = hint is not None and policy is not FORK
    assert classes[LIMIT] is (ErrorClass.RATE_LIMITED if waits else ErrorClass.TRANSIENT)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (399, ErrorKind.UNKNOWN),
        (400, ErrorKind.REQUEST),
        (401, ErrorKind.AUTH),
        (403, ErrorKind.AUTH),
        (404, ErrorKind.REQUEST),
        (408, ErrorKind.REQUEST_TIMEOUT),
        (429, LIMIT),
        (499, ErrorKind.CLIENT_CLOSED),
        (500, ErrorKind.SERVER),
        (599, ErrorKind.SERVER),
        (600, ErrorKind.UNKNOWN),
    ],
)
def test_statuses(status: int, kind: ErrorKind) -> None:
    assert kind_of_status(status) is kind


@pytest.mark.parametrize(
    ("changes", "error", "field"),
    [
        ({"attempts_max": 0}, ValueError, "attempts_max"),
        ({"attempts_max": True}, TypeError, "attempts_max"),
        ({"base_ms": 0}, ValueError, "base_ms"),
        ({"base_ms": None}, TypeError, "base_ms"),
        ({"base_ms": 1.0}, TypeError, "base_ms"),
        ({"cap_ms": 99}, ValueError, "cap_ms"),
        ({"budget_ms": -1}, ValueError, "budget_ms"),
        ({"attempt_ms": -1}, ValueError, "attempt_ms"),
        ({"hint_slack_ms": -1}, ValueError, "hint_slack_ms"),
        ({"hint_jitter_ms": -1}, ValueError, "hint_jitter_ms"),
        ({"factor": (1, 2)}, ValueError, "factor"),
        ({"factor": (0, 1)}, ValueError, "factor"),
        ({"factor": (1_001, 1)}, ValueError, "factor"),
        ({"factor": 2}, TypeError, "factor"),
        ({"factor": (2.0, 1)}, TypeError, "factor"),
        ({"jitter_percent": (51, 50)}, ValueError, "jitter_percent"),
        ({"jitter_percent": (-1, 50)}, ValueError, "jitter_percent"),
        ({"jitter_percent": (0, 1_001)}, ValueError, "jitter_percent"),
        ({"heeds_hints": 1}, TypeError, "heeds_hints"),
        ({"transient": [ErrorKind.STREAM]}, TypeError, "transient"),
        ({"transient": ("STREAM",)}, TypeError, "transient"),
        ({"transient": (LIMIT,)}, ValueError, "transient"),
        ({"permanent_without_hint": (ErrorKind.QUOTA,)}, ValueError, "permanent_without_hint"),
    ],
)
def test_a_policy_that_cannot_work_is_refused_by_name(
    changes: dict[str, Any], error: type[Exception], field: str
) -> None:
    with pytest.raises(error, match=f"^{field}:"):
        RetryPolicy(**(PLAIN | changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"attempts_max": 1},
        {"base_ms": 1, "cap_ms": 1},
        {"budget_ms": 0, "attempt_ms": 0},
        {"hint_slack_ms": 0, "hint_jitter_ms": 0},
        {"factor": (1_000, 1), "jitter_percent": (0, 1_000)},
        {"factor": (1_000, 1_000), "jitter_percent": (1_000, 1_000)},
    ],
)
def test_a_policy_on_its_limits_is_taken(changes: dict[str, Any]) -> None:
    assert RetryPolicy(**(PLAIN | changes)).start() == RetryState(1, 0)


def test_the_upstream_polls_without_a_pause_after_a_hint_in_the_past_and_ours_does_not() -> None:
    past = Failure(LIMIT, -60_000)
    assert run(UPSTREAM, past, past) == [(0, 0), (0, 0)]
    assert run(OURS, past, past) == [(500, 1_000), (1_000, 2_000)]


def test_values_are_frozen_hashable_and_checked() -> None:
    assert len({OURS, replace(OURS), UPSTREAM, FORK}) == 3
    with pytest.raises(FrozenInstanceError):
        OURS.base_ms = 1  # type: ignore[misc]
    for attempt, spent_ms in ((0, 0), (1, -1)):
        with pytest.raises(ValueError, match="expected at least"):
            RetryState(attempt, spent_ms)
    with pytest.raises(TypeError, match="kind"):
        Failure("timeout")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="reset_in_ms"):
        Failure(LIMIT, 1.5)  # type: ignore[arg-type]


@st.composite
def policies(draw: st.DrawFn) -> RetryPolicy:
    base_ms = draw(st.integers(1, 500))
    down = draw(st.integers(1, 20))
    low, high = sorted(draw(st.tuples(st.integers(0, 300), st.integers(0, 300))))
    return RetryPolicy(
        attempts_max=draw(st.none() | st.integers(1, 8)),
        base_ms=base_ms,
        factor=(draw(st.integers(down, 60)), down),
        cap_ms=draw(st.integers(base_ms, 5_000)),
        jitter_percent=(low, high),
        budget_ms=draw(st.none() | st.integers(0, 30_000)),
        attempt_ms=draw(st.integers(0, 2_000)),
        backoff_floors_hint=draw(st.booleans()),
    )


FAILURES = st.builds(Failure, st.sampled_from(ErrorKind), st.none() | st.integers(-20_000, 20_000))


@given(policies(), st.integers(1, 40))
def test_the_backoff_is_the_exact_formula_rounded_once(policy: RetryPolicy, attempt: int) -> None:
    exact = min(Fraction(policy.base_ms) * Fraction(*policy.factor) ** (attempt - 1), Fraction(policy.cap_ms))
    assert policy.backoff_ms(attempt) == int(exact)
    low_ms, high_ms = policy.wait_ms(attempt, TIMEOUT)
    low, high = policy.jitter_percent
    assert 0 <= low_ms <= Fraction(int(exact) * low, 100) < low_ms + 1
    assert high_ms - 1 < Fraction(int(exact) * high, 100) <= high_ms


@given(policies(), st.lists(FAILURES, max_size=12))
def test_no_attempt_starts_beyond_the_budget_or_the_limit(policy: RetryPolicy, failures: list[Failure]) -> None:
    state, spent_ms = policy.start(), 0
    for number, failure in enumerate(failures, 1):
        assert state.attempt == number
        decision = policy.decide(state, failure)
        spent_ms += policy.attempt_ms
        if isinstance(decision, Fail):
            break
        assert 0 <= decision.low_ms <= decision.high_ms
        spent_ms += decision.high_ms
        state = decision.state
        assert policy.budget_ms is None or state.spent_ms == spent_ms <= policy.budget_ms
        assert policy.attempts_max is None or state.attempt <= policy.attempts_max


def test_the_module_stands_on_the_standard_library_and_its_examples_run() -> None:
    tree = ast.parse(Path(module.__file__).read_text())
    names = [name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names]
    names += [node.module or "." for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert {name.partition(".")[0] for name in names} <= set(sys.stdlib_module_names)
    assert not any(isinstance(node, ast.Constant) and isinstance(node.value, float) for node in ast.walk(tree))
    failed, tried = doctest.testmod(module)
    assert (failed, tried > 0) == (0, True)
