"""The defects of the reference's fault injection, each shown absent here."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import pytest

from models.consensus.failures import failure_of
from models.consensus.references.policies import FORK, UPSTREAM
from sim import ConfigError
from sim.consensus.retry import OURS, ErrorClass, Fail, RetryAfter, RetryPolicy
from sim.faults import InjectedFault, next_fault, open_gate
from tests.faults.test_injector import COUNT, hammered


def tried(policy: RetryPolicy, agent: str = "gemini") -> tuple[list[RetryAfter], str]:
    """An operation with the usual retry loop around its injection point: the waits, and how it ended."""
    waits: list[RetryAfter] = []
    state = policy.start()
    while True:
        try:
            fault = next_fault("spec_kit", agent)
            if fault is not None:
                raise fault
            return waits, "done"
        except InjectedFault as error:
            decision = policy.decide(state, failure_of(error.kind, error.reset_ms))
            if isinstance(decision, Fail):
                return waits, decision.reason.value
            waits.append(decision)
            state = decision.state


@pytest.mark.parametrize("policy", [OURS, FORK, UPSTREAM], ids=["ours", "fork", "upstream"])
def test_a_disconnect_has_a_type_and_is_retried_inside_the_loop(policy: RetryPolicy) -> None:
    """There it is plain text: fatal by classification, and a transient by the text only to the user's eye."""
    with open_gate("disconnect:2"):
        fault = next_fault("spec_kit")
        assert isinstance(fault, ConnectionError)
        assert fault.transient
        assert policy.classify(failure_of(fault.kind)) is ErrorClass.TRANSIENT
        waits, end = tried(policy)
    assert (len(waits), end) == (1, "done")


def test_an_injected_fault_goes_through_the_retry_and_not_around_it() -> None:
    """There the operation returns in front of its retry, which no fault ever exercises."""
    with open_gate("agent_timeout:2") as faults:
        waits, end = tried(OURS)
        assert [wait.state.attempt for wait in waits] == [2, 3]
        assert end == "done"
        assert faults.struck() == {"agent_timeout": 2}


def test_a_count_never_goes_below_zero_whoever_asks_at_the_same_time() -> None:
    """There a count is loaded and then subtracted from: at zero it wraps into faults without end."""
    with open_gate(f"disconnect:{COUNT}") as faults:
        assert hammered(lambda: next_fault("spec_kit")) == COUNT
        assert hammered(lambda: next_fault("spec_kit")) == 0
        assert faults.left() == {f"disconnect:{COUNT}": 0}


def placed(plan: str, order: Sequence[str]) -> dict[str, int]:
    """How many faults each agent meets if they come to their injection points in this order, in turn."""
    met = dict.fromkeys(sorted(order), 0)
    with open_gate(plan):
        for _ in range(3):
            for agent in order:
                met[agent] += next_fault("spec_kit", agent) is not None
    return met


ORDERS = list(permutations(("gemini", "claude", "gpt_pro")))


def test_a_target_places_a_fault_however_the_agents_are_scheduled() -> None:
    """There counts are global, and who is struck depends on who comes first."""
    plan = "agent_timeout:2@claude,disconnect:1@gemini"
    assert {tuple(placed(plan, order).items()) for order in ORDERS} == {
        (("claude", 2), ("gemini", 1), ("gpt_pro", 0)),
    }


def test_without_a_target_the_placement_does_depend_on_the_schedule() -> None:
    assert len({tuple(placed("agent_timeout:1", order).items()) for order in ORDERS}) == 3


@pytest.mark.parametrize(("hint", "hint_ms"), [("30s", 30_000), ("now+5s", 5_000), ("2025-01-01T00:02:00Z", 120_000)])
def test_the_hint_is_heeded(hint: str, hint_ms: int) -> None:
    """There a rate limit always suggests 60 seconds."""
    with open_gate(f"rate_limited:1({hint})"):
        (wait,), end = tried(OURS)
    assert end == "done"
    assert wait.low_ms == hint_ms + OURS.hint_slack_ms
    with open_gate(f"rate_limited:1({hint})"):
        (deaf,), _ = tried(FORK)
    assert deaf.high_ms < 1_000, "a policy that is deaf to hints is told apart"


@pytest.mark.parametrize("plan", ["disconnect", "disconnect:x", "disconnct:1", "disconnect:1;429:1"])
def test_a_malformed_entry_is_an_error_and_not_ignored(plan: str) -> None:
    with pytest.raises(ConfigError, match="fault '"):
        open_gate(plan)


def test_a_label_that_comes_twice_is_an_error_and_not_the_last_one() -> None:
    with pytest.raises(ConfigError, match="fault 'disconnect:2' repeats 'disconnect:1'"):
        open_gate("disconnect:1,disconnect:2")


def test_the_order_is_the_one_written_and_not_a_fixed_one() -> None:
    with open_gate("agent_timeout:1,rate_limited:1,disconnect:1"):
        kinds = [fault.kind for _ in range(3) if (fault := next_fault("spec_kit"))]
    assert kinds == ["agent_timeout", "rate_limited", "disconnect"]
