"""What `RetryPolicy` decides, row by row with the arithmetic; `check` takes the class to judge."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sim.consensus.retry import (
    ErrorKind,
    Fail,
    FailReason,
    Failure,
    RetryAfter,
    RetryDecision,
    RetryPolicy,
    RetryState,
)

# 100 ms doubling, no jitter, three attempts, no budget: each row below changes only what it is about.
PLAIN: dict[str, Any] = {
    "attempts_max": 3,
    "base_ms": 100,
    "factor": (2, 1),
    "cap_ms": 10_000,
    "jitter_percent": (100, 100),
}
ENDLESS = {"attempts_max": None}
TIMEOUT = Failure(ErrorKind.TIMEOUT)
LIMIT = ErrorKind.RATE_LIMITED

Row = tuple[str, dict[str, Any], RetryState, Failure, RetryDecision]


def at(attempt: int, spent_ms: int = 0) -> RetryState:
    return RetryState(attempt, spent_ms)


def after(low_ms: int, high_ms: int, attempt: int, spent_ms: int = 0) -> RetryAfter:
    return RetryAfter(low_ms, high_ms, RetryState(attempt, spent_ms))


PERMANENT, ATTEMPTS, BUDGET, WAIT = (Fail(reason) for reason in FailReason)
GONE, AUTH = Failure(ErrorKind.QUOTA), Failure(ErrorKind.AUTH)
HINTED = Failure(LIMIT, 7_000)
NO_FLOOR = {"backoff_floors_hint": False}
USAGE = ErrorKind.USAGE_LIMIT
HINT_OR_FAIL = {"permanent_without_hint": (USAGE,)}

TABLE: tuple[Row, ...] = (
    # claim, changes to PLAIN, state, failure, decision
    ("the first wait is the base", {}, at(1), TIMEOUT, after(100, 100, 2)),
    ("100 x 2 = 200", {}, at(2), TIMEOUT, after(200, 200, 3)),
    ("the third of three attempts was the last", {}, at(3), TIMEOUT, ATTEMPTS),
    ("no fourth either", {}, at(4), TIMEOUT, ATTEMPTS),
    ("one attempt is no retry", {"attempts_max": 1}, at(1), TIMEOUT, ATTEMPTS),
    ("100 x 2^6 = 6,400", ENDLESS, at(7), TIMEOUT, after(6_400, 6_400, 8)),
    ("100 x 2^7 = 12,800 is capped", ENDLESS, at(8), TIMEOUT, after(10_000, 10_000, 9)),
    ("limit - 1: 6,400 under a cap of 6,401",
     ENDLESS | {"cap_ms": 6_401}, at(7), TIMEOUT, after(6_400, 6_400, 8)),
    ("limit: 6,400 at a cap of 6,400", ENDLESS | {"cap_ms": 6_400}, at(7), TIMEOUT, after(6_400, 6_400, 8)),
    ("limit + 1: 6,400 above a cap of 6,399",
     ENDLESS | {"cap_ms": 6_399}, at(7), TIMEOUT, after(6_399, 6_399, 8)),
    ("an attempt far on costs no more", ENDLESS, at(10**9), TIMEOUT, after(10_000, 10_000, 10**9 + 1)),
    ("101 x (3/2)^3 = 340.875, rounded once: 340 (step by step 339)",
     ENDLESS | {"base_ms": 101, "factor": (3, 2)}, at(4), TIMEOUT, after(340, 340, 5)),
    ("factor 1 stays at the base",
     {"factor": (5, 5), **ENDLESS}, at(10**9), TIMEOUT, after(100, 100, 10**9 + 1)),
    ("jitter is of the capped wait: 50% and 150% of 10,000",
     {"jitter_percent": (50, 150), **ENDLESS}, at(9), TIMEOUT, after(5_000, 15_000, 10)),
    ("33% of 101 = 33.33 down to 33, 67% = 67.67 up to 68",
     {"base_ms": 101, "jitter_percent": (33, 67)}, at(1), TIMEOUT, after(33, 68, 2)),
    # hints
    ("7,000 + slack 5,000, and 3,000 above", {}, at(1), HINTED, after(12_000, 15_000, 2)),
    ("a hint is not capped", {}, at(1), Failure(LIMIT, 10**7), after(10_005_000, 10_008_000, 2)),
    ("a hint for another kind is no hint", {}, at(1), Failure(ErrorKind.TIMEOUT, 7_000), after(100, 100, 2)),
    ("no hint backs off", {}, at(1), Failure(LIMIT), after(100, 100, 2)),
    ("a hint of 0 is a hint", {}, at(1), Failure(LIMIT, 0), after(5_000, 8_000, 2)),
    ("hints can be ignored", {"heeds_hints": False}, at(1), HINTED, after(100, 100, 2)),
    ("past: -6,000 + 5,000 = -1,000 and 2,000; the floor is 100",
     {}, at(1), Failure(LIMIT, -6_000), after(100, 2_000, 2)),
    ("long past: the backoff holds", {}, at(1), Failure(LIMIT, -60_000), after(100, 100, 2)),
    ("long past without the floor: at once", NO_FLOOR, at(1), Failure(LIMIT, -60_000), after(0, 0, 2)),
    ("limit - 1: -4,999 + 5,000 = 1", NO_FLOOR, at(1), Failure(LIMIT, -4_999), after(1, 3_001, 2)),
    ("limit: -5,000 + 5,000 = 0", NO_FLOOR, at(1), Failure(LIMIT, -5_000), after(0, 3_000, 2)),
    ("limit + 1: -5,001 + 5,000 = -1, so 0", NO_FLOOR, at(1), Failure(LIMIT, -5_001), after(0, 2_999, 2)),
    # the budget, nominally: what is spent + the attempt that failed + the upper end of the wait
    ("limit - 1: 0 + 100 of 101", {"budget_ms": 101}, at(1), TIMEOUT, after(100, 100, 2, 100)),
    ("limit: 0 + 100 of 100", {"budget_ms": 100}, at(1), TIMEOUT, after(100, 100, 2, 100)),
    ("limit + 1: 0 + 100 of 99", {"budget_ms": 99}, at(1), TIMEOUT, WAIT),
    ("attempts count: 100 + 30 + 200 = 330 of 330",
     {"budget_ms": 330, "attempt_ms": 30}, at(2, 100), TIMEOUT, after(200, 200, 3, 330)),
    ("attempts count: 330 of 329", {"budget_ms": 329, "attempt_ms": 30}, at(2, 100), TIMEOUT, WAIT),
    ("the upper end counts: 150 of 149",
     {"budget_ms": 149, "jitter_percent": (50, 150)}, at(1), TIMEOUT, WAIT),
    ("the upper end counts: 150 of 150",
     {"budget_ms": 150, "jitter_percent": (50, 150)}, at(1), TIMEOUT, after(50, 150, 2, 150)),
    ("a hint beyond the budget: 15,000 of 14,999", {"budget_ms": 14_999}, at(1), HINTED, WAIT),
    ("a hint within the budget: 15,000 of 15,000",
     {"budget_ms": 15_000}, at(1), HINTED, after(12_000, 15_000, 2, 15_000)),
    ("limit: 70 + 30 of 100 is not overspent, but no wait fits",
     {"budget_ms": 100, "attempt_ms": 30}, at(2, 70), TIMEOUT, WAIT),
    ("limit + 1: 71 + 30 of 100 is", {"budget_ms": 100, "attempt_ms": 30}, at(2, 71), TIMEOUT, BUDGET),
    ("no budget, nothing is counted", {"attempt_ms": 30}, at(1), TIMEOUT, after(100, 100, 2, 0)),
    ("a budget of 0 is spent at once", {"budget_ms": 0, "attempt_ms": 1}, at(1), TIMEOUT, BUDGET),
    # what is said first
    ("permanent, however many attempts are left", {}, at(1), GONE, PERMANENT),
    ("permanent before attempts", {}, at(3), GONE, PERMANENT),
    ("permanent before budget", {"budget_ms": 10}, at(1, 11), GONE, PERMANENT),
    ("unless the budget is looked at first",
     {"budget_ms": 10, "budget_before_class": True}, at(1, 11), GONE, BUDGET),
    ("then, too, a budget that is not overspent says nothing",
     {"budget_ms": 10, "budget_before_class": True}, at(1, 10), GONE, PERMANENT),
    ("attempts before budget", {"budget_ms": 10}, at(3, 11), TIMEOUT, ATTEMPTS),
    # version switches
    ("a usage limit backs off", {}, at(1), Failure(USAGE), after(100, 100, 2)),
    ("or is permanent without a hint", HINT_OR_FAIL, at(1), Failure(USAGE), PERMANENT),
    ("and waits with one", HINT_OR_FAIL, at(1), Failure(USAGE, 0), after(5_000, 8_000, 2)),
    ("waits past the budget: 100 of 99",
     {"budget_ms": 99, "waits_past_budget": True}, at(1), TIMEOUT, after(100, 100, 2, 100)),
    ("and notices then", {"budget_ms": 99, "waits_past_budget": True}, at(2, 100), TIMEOUT, BUDGET),
)  # fmt: skip


def check(kind: type[RetryPolicy], rows: Iterable[Row] = TABLE) -> None:
    for claim, changes, state, failure, decision in rows:
        assert kind(**(PLAIN | changes)).decide(state, failure) == decision, claim
