"""Saboteurs: one small mutation of `RetryPolicy` each, which the table has to catch."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sim.consensus.retry import (
    ErrorClass,
    Fail,
    FailReason,
    Failure,
    RetryAfter,
    RetryDecision,
    RetryPolicy,
    RetryState,
)
from tests.models.consensus.retry_table import check


class OneAttemptMore(RetryPolicy):
    """The fork's generic loop: max_attempts + 1 calls."""

    def decide(self, state: RetryState, failure: Failure) -> RetryDecision:
        more = None if self.attempts_max is None else self.attempts_max + 1
        return RetryPolicy.decide(replace(self, attempts_max=more), state, failure)


class Variant(RetryPolicy):
    """A policy that behaves as if `changed` said otherwise."""

    changed: dict[str, Any] = {}

    def decide(self, state: RetryState, failure: Failure) -> RetryDecision:
        return RetryPolicy.decide(replace(self, **self.changed), state, failure)


class IgnoresHints(Variant):
    changed = {"heeds_hints": False}


class PollsWithoutPause(Variant):
    changed = {"backoff_floors_hint": False}


class SleepsPastTheBudget(Variant):
    changed = {"waits_past_budget": True}


class BudgetMasksThePermanent(Variant):
    changed = {"budget_before_class": True}


class ForgetsTheSlack(Variant):
    changed = {"hint_slack_ms": 0}


class AttemptsAreFree(Variant):
    changed = {"attempt_ms": 0}


class NeverPermanent(RetryPolicy):
    def classify(self, failure: Failure) -> ErrorClass:
        known = RetryPolicy.classify(self, failure)
        return ErrorClass.TRANSIENT if known is ErrorClass.PERMANENT else known


class CapsOneTooHigh(RetryPolicy):
    def backoff_ms(self, attempt: int) -> int:
        return RetryPolicy.backoff_ms(replace(self, cap_ms=self.cap_ms + 1), attempt)


class GrowsTooEarly(RetryPolicy):
    def backoff_ms(self, attempt: int) -> int:
        return RetryPolicy.backoff_ms(self, attempt + 1)


class RoundsInBetween(RetryPolicy):
    def backoff_ms(self, attempt: int) -> int:
        wait_ms = self.base_ms
        for _ in range(min(attempt, 100) - 1):
            wait_ms = min(wait_ms * self.factor[0] // self.factor[1], self.cap_ms)
        return wait_ms


class CountsTheLowerEnd(RetryPolicy):
    def decide(self, state: RetryState, failure: Failure) -> RetryDecision:
        low = self.jitter_percent[0]
        decision = RetryPolicy.decide(replace(self, jitter_percent=(low, low)), state, failure)
        if isinstance(decision, RetryAfter):
            low_ms, high_ms = RetryPolicy.wait_ms(self, state.attempt, failure)
            return replace(decision, low_ms=low_ms, high_ms=high_ms)
        return decision


class FailsAtTheExactBudget(RetryPolicy):
    def decide(self, state: RetryState, failure: Failure) -> RetryDecision:
        decision = RetryPolicy.decide(self, state, failure)
        full = isinstance(decision, RetryAfter) and decision.state.spent_ms == self.budget_ms
        return Fail(FailReason.WAIT) if full else decision


class TakesAZeroHintForNone(RetryPolicy):
    def decide(self, state: RetryState, failure: Failure) -> RetryDecision:
        return RetryPolicy.decide(self, state, failure if failure.reset_in_ms else Failure(failure.kind))


class CountsWithoutABudget(RetryPolicy):
    def decide(self, state: RetryState, failure: Failure) -> RetryDecision:
        return RetryPolicy.decide(
            self if self.budget_ms is not None else replace(self, budget_ms=10**18), state, failure
        )


FAULTS = tuple(
    kind for kind in list(globals().values())
    if isinstance(kind, type) and issubclass(kind, RetryPolicy) and kind not in (RetryPolicy, Variant)
)  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: str(fault.__name__))
def test_the_table_catches_the_planted_fault(fault: type[RetryPolicy]) -> None:
    with pytest.raises(AssertionError):
        check(fault)
