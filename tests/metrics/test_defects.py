"""Each defect that the domain facts list for the reference, shown absent here.

Beside each stands the reference's arithmetic, so that the test would notice if the two agreed.
"""

from __future__ import annotations

from decimal import Decimal

from sim.metrics import SessionMetrics, TokenUsage
from sim.metrics.cost import CostMeter
from sim.metrics.loops import ReplayFilter
from sim.metrics.prices import PriceTable

ROUND = {
    "gemini": TokenUsage(1000, 100),
    "claude": TokenUsage(2000, 200),
    "gpt_pro": TokenUsage(4000, 400),
}


def test_each_agent_of_a_batch_is_charged_its_own_usage_and_each_is_a_turn():
    """Reference: the last usage seen is charged to each agent, while the metrics count one turn."""
    session = SessionMetrics()
    for agent, usage in ROUND.items():
        session.record_turn(usage, agent=agent, stage="validate", run="r1", attempt=1)
    assert session.turn_count == 3
    assert {agent: share.usage for agent, share in session.by_agent().items()} == ROUND
    assert session.running_total == TokenUsage(7000, 700)
    as_the_reference_charges = [ROUND["gpt_pro"]] * 3
    assert [share.usage for share in session.by_agent().values()] != as_the_reference_charges


def test_an_answer_that_comes_late_is_billed_to_the_stage_that_asked():
    """Reference: it is billed to whatever stage is current."""
    session = SessionMetrics()
    session.record_turn(ROUND["claude"], agent="claude", stage="plan", run="r1", attempt=2)
    session.record_turn(ROUND["claude"], agent="claude", stage="tasks", run="r1", attempt=1)
    session.record_turn(ROUND["gemini"], agent="gemini", stage="plan", run="r1", attempt=1)  # late
    assert session.by_stage()["plan"].usage == ROUND["claude"] + ROUND["gemini"]
    assert session.by_stage()["tasks"].usage == ROUND["claude"]
    assert [(row.stage, row.agent, row.attempt) for row in session.billed()] == [
        ("plan", "claude", 2),
        ("plan", "gemini", 1),
        ("tasks", "claude", 1),
    ]


def test_whoever_drops_duplicates_calls_the_recorders():
    """Reference: the recorders of replays and duplicates have no caller."""
    session = SessionMetrics()
    items = ReplayFilter[str](session, is_user=lambda item: item == "user")
    items.expect(["answer"])
    items.admit(["user", "answer"])
    assert (session.duplicate_items, session.replay_updates) == (1, 1)


def test_a_party_that_counts_no_duplicates_cannot_erase_those_of_another():
    """Reference: the coordinator's event sets the history's count to its own, which is always 0."""
    history, coordinator = SessionMetrics(), SessionMetrics()
    history.record_duplicate_items(3)
    coordinator.record_turn(ROUND["claude"])
    assert history.merge(coordinator).duplicate_items == 3
    assert coordinator.merge(history).duplicate_items == 3


def test_utilisation_does_not_divide_what_was_spent_by_what_fits():
    """Reference: cumulative totals over one context window, which passes 100 % and never sinks."""
    session = SessionMetrics()
    for _ in range(30):
        session.record_turn(TokenUsage(20_000, 1000))
    assert session.context_utilisation(200_000) == 0.1
    assert session.running_total.total_tokens / 200_000 == 3.15


def test_usage_is_noticed_whichever_number_reports_it():
    """Reference: whether usage was recorded is read from the total alone, which may be absent."""
    session = SessionMetrics()
    session.record_turn(TokenUsage(0, 1))
    assert session.has_recorded_usage()


def test_budget_alerts_are_not_repeated():
    """Reference: every call past a level repeats its alert."""
    prices = PriceTable({"m": {"input": 1, "output": 1}}, snapshot=False)
    meter = CostMeter(prices, budget_usd="1.00")
    raised = [[alert.level.value for alert in meter.record(TokenUsage(100_000, 0), model="m")] for _ in range(12)]
    assert raised == [[]] * 7 + [[80], [90], [100], [], []]


def test_cached_tokens_are_not_charged_in_full():
    """Reference: tokens times rate, no cache discount."""
    rates = {"m": {"input": "1.25", "cached_input": "0.125", "output": 10}}
    meter = CostMeter(PriceTable(rates, snapshot=False))
    meter.record(TokenUsage(1_000_000, 0, cached_input_tokens=800_000), model="m")
    assert meter.total.usd == Decimal("0.35")  # 0.2 x 1.25 + 0.8 x 0.125
    assert meter.total.usd != Decimal("1.25")


def test_an_unknown_model_is_not_charged_10_and_30_dollars():
    """Reference: 10/30 USD per million for any name that it does not know."""
    meter = CostMeter(PriceTable(snapshot=False))
    meter.record(TokenUsage(1_000_000, 1_000_000), model="no such model")
    assert meter.total.usd == 0
    assert not meter.total.is_known
    assert (meter.total.unknown_turns, meter.total.unknown_tokens) == (1, 2_000_000)
