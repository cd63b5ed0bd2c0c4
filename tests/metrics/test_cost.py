"""Exact costs, their sources, projections and budgets."""

from __future__ import annotations

import decimal
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import genai_prices
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.metrics import MetricsError, TokenUsage
from sim.metrics.breakdown import OTHER
from sim.metrics.cost import Budget, BudgetLevel, Cost, CostMeter, cost_of
from sim.metrics.prices import EPOCH, Price, PriceTable, Rate, exact_usd, usd_text

from .strategies import usages

OWN = {"m": {"input": 3, "output": 15, "cached_input": "0.30", "cache_write": 3.75}}
TABLE = PriceTable(OWN, source="scenario round", snapshot=False)
SNAPSHOT = PriceTable()
AMOUNTS = st.decimals(0, 1000, places=6)
COSTS = st.builds(Cost, AMOUNTS, st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))


# --- arithmetic -------------------------------------------------------------------------------


def test_every_kind_of_token_has_its_rate():
    usage = TokenUsage(1000, 200, cached_input_tokens=600, cache_write_input_tokens=100)
    # 300 x 3 + 600 x 0.30 + 100 x 3.75 + 200 x 15, in millionths
    assert cost_of(usage, TABLE.price("m")) == Cost(Decimal("0.004455"), turns=1)


def test_parts_without_a_rate_cost_what_their_whole_costs():
    price = Price(Rate(Decimal(2)), Rate(Decimal(10)))
    usage = TokenUsage(10, 10, cached_input_tokens=5, cache_write_input_tokens=5, reasoning_output_tokens=9)
    assert price.of(usage) == price.of(TokenUsage(10, 10)) == Decimal("0.00012")


def test_reasoning_may_have_a_rate_of_its_own_and_calls_a_fee():
    price = Price(Rate(Decimal(0)), Rate(Decimal(10)), reasoning=Rate(Decimal(4)), per_call=Decimal("0.005"))
    assert price.of(TokenUsage(0, 1000, reasoning_output_tokens=900)) == Decimal("0.0096")


@pytest.mark.parametrize(("prompt", "usd"), [(200_000, "0.6"), (200_001, "1.200006")])
def test_a_tier_holds_for_prompts_of_more_tokens_than_it_says(prompt: int, usd: str):
    price = Price(Rate(Decimal(3), ((200_000, Decimal(6)),)), Rate(Decimal(15)))
    assert price.of(TokenUsage(prompt, 0)) == Decimal(usd)


def test_turns_are_priced_one_by_one_because_a_sum_would_reach_a_tier():
    meter = CostMeter(budget_usd=None)
    for _ in range(3):
        meter.record(TokenUsage(100_000, 0), model="claude-sonnet-4-5")
    assert meter.total.usd == Decimal("0.9")
    assert cost_of(TokenUsage(300_000, 0), SNAPSHOT.price("claude-sonnet-4-5")).usd == Decimal("1.8")


@given(usages(10**12))
def test_no_caller_context_rounds_a_cost(usage: TokenUsage):
    price = TABLE.price("m")
    assert price is not None
    with decimal.localcontext(prec=2):
        cramped = price.of(usage)
    assert cramped == price.of(usage)


@given(COSTS, COSTS, COSTS)
def test_costs_add_associatively_and_commutatively(a: Cost, b: Cost, c: Cost):
    assert (a + b) + c == a + (b + c)
    assert a + b == b + a
    assert a + Cost() == a


def test_adding_something_else_is_a_type_error():
    with pytest.raises(TypeError):
        Cost() + 1


# --- sources ----------------------------------------------------------------------------------


@given(
    usages(10**6),
    st.sampled_from(
        [
            "gpt-5",
            "gpt-4o",
            "claude-sonnet-4-5",  # tiers
            "claude-opus-4-1",
            "gemini-2.5-pro",  # tiers
            "gemini-2.5-flash",
            "perplexity/sonar",  # a fee for each call
        ]
    ),
)
def test_our_arithmetic_agrees_with_that_of_genai_prices(usage: TokenUsage, model: str):
    theirs = genai_prices.calc_price(
        genai_prices.Usage(
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cache_read_tokens=usage.cached_input_tokens,
            cache_write_tokens=usage.cache_write_input_tokens,
            output_reasoning_tokens=usage.reasoning_output_tokens,
        ),
        model.removeprefix("perplexity/"),
        provider_id="perplexity" if model.startswith("perplexity/") else None,
        genai_request_timestamp=EPOCH,
    )
    assert cost_of(usage, SNAPSHOT.price(model)).usd == theirs.total_price


def test_the_source_its_version_the_entry_and_the_date_are_recorded():
    price = SNAPSHOT.price("gpt-5-codex")
    assert price is not None
    assert price.source == f"genai-prices {genai_prices.__version__}"
    assert price.entry == "openai/gpt-5"
    assert price.as_of == EPOCH
    assert price.as_dict()["as_of"] == "2025-01-01T00:00:00+00:00"
    own = TABLE.price("m")
    assert own is not None
    assert (own.source, own.entry, own.as_of) == ("scenario round", "m", None)


def test_an_own_table_wins_over_the_snapshot_and_leaves_the_rest_to_it():
    table = PriceTable({"gpt-5": {"input": 1, "output": 1}})
    own, other = table.price("gpt-5"), table.price("gpt-4o")
    assert own is not None
    assert other is not None
    assert own.source == "own table"
    assert other.source.startswith("genai-prices")


def test_tiers_of_the_snapshot_are_written_down():
    price = SNAPSHOT.price("claude-sonnet-4-5")
    assert price is not None
    rates: Any = price.as_dict()["usd_per_million_tokens"]
    assert rates["input"] == "3"
    assert rates["input_tiers"] == [[200_000, "6"]]


@pytest.mark.parametrize("model", ["no such model", "", "claude", "text-embedding-3-small"])
def test_what_has_no_price_is_said_and_not_guessed(model: str):
    meter = CostMeter()
    meter.record(TokenUsage(10, 5), model=model)
    assert SNAPSHOT.price(model) is None
    assert meter.prices() == {model: None}
    assert meter.total == Cost(Decimal(0), turns=1, unknown_turns=1, unknown_tokens=15)
    assert meter.as_dict()["by_model"][model]["known"] is False


def test_prices_hold_at_the_instant_that_was_given():
    with pytest.raises(MetricsError, match="expected an instant with a timezone"):
        PriceTable(as_of=datetime(2025, 1, 1))
    before, later = SNAPSHOT.price("o3"), PriceTable(as_of=datetime(2026, 1, 1, tzinfo=UTC)).price("o3")
    assert before is not None
    assert later is not None
    assert (before.input.base, later.input.base) == (Decimal(10), Decimal(2))  # cut in June 2025
    assert later.as_of == datetime(2026, 1, 1, tzinfo=UTC)


def test_every_mistake_of_an_own_table_is_reported_at_once():
    table: Any = {
        "a": {"input": -1, "outptu": 2},
        "b": {"input": 1.25, "output": "nan"},
        "c": {"input": True, "output": "1e-13"},
        "d": {"input": "ten", "output": 10**10},
    }
    with pytest.raises(MetricsError) as refused:
        PriceTable(table)
    said = [mistake.partition(";")[0] for mistake in refused.value.mistakes]
    assert said == [
        "price of a: output is missing",
        "price of a: input is -1",
        "price of a: unknown kind of token 'outptu' (did you mean 'output'?): use input, output, cached_input, cache_write or reasoning",
        "price of b: output is 'nan'",
        "price of c: input is True",
        "price of c: output is '1e-13'",
        "price of d: input is 'ten'",
        "price of d: output is 10000000000",
    ]


def test_amounts_are_what_was_written():
    assert exact_usd("x", 0.3) == Decimal("0.3")
    assert exact_usd("x", "-0").is_signed() is False
    assert usd_text(Decimal("0.0058000")) == "0.0058"
    assert usd_text(Decimal("1E+2")) == "100"
    assert usd_text(Decimal("2.00")) == "2"


# --- the meter --------------------------------------------------------------------------------


def test_breakdowns_add_up_to_the_total():
    meter = CostMeter(TABLE, rows=2)
    for number in range(12):
        usage = TokenUsage(1000 * number, 10)
        meter.record(usage, model=f"m{number % 5}"[: 1 + number % 2], agent=f"a{number % 4}", stage="plan")
    for costs in (meter.by_model(), meter.by_agent(), meter.by_stage()):
        assert sum(costs.values(), Cost()) == meter.total
    assert list(meter.by_agent()) == ["a0", "a1", OTHER]
    assert OTHER not in meter.prices()


@pytest.mark.parametrize("label", ["model", "agent", "stage"])
def test_a_label_that_is_none_is_refused_and_nothing_is_charged(label: str):
    meter = CostMeter(TABLE)
    labels: Any = {"model": "m", label: None}
    with pytest.raises(MetricsError, match=f"{label} is None"):
        meter.record(TokenUsage(10, 5), **labels)
    assert meter.total == Cost()


def test_a_report_is_json_with_exact_amounts():
    meter = CostMeter(TABLE)
    meter.record(TokenUsage(600_000, 0), model="m", agent="gemini", stage="plan")
    report = json.loads(json.dumps(meter.as_dict(remaining_turns=2)))
    assert report["total"]["usd"] == "1.8"
    assert report["projected"] == {"turns": 2, "usd": "3.6", "known": True}
    assert report["budget"]["limit_usd"] == "2"
    assert [alert["level"] for alert in report["budget"]["alerts"]] == ["warning", "critical"]
    assert report["prices"]["m"]["source"] == "scenario round"
    assert CostMeter(TABLE, budget_usd=None).as_dict()["budget"] is None


# --- projection -------------------------------------------------------------------------------


def test_the_remaining_turns_cost_the_mean_of_the_window():
    meter = CostMeter(TABLE, window=3)
    for prompt in (9_000_000, 100_000, 200_000, 400_000):  # the first has left the window
        meter.record(TokenUsage(prompt, 0), model="m")
    assert meter.projected(10).usd == Decimal("7.0")  # 10 x (0.3 + 0.6 + 1.2) / 3
    assert meter.projected(0).usd == 0


def test_a_mean_that_does_not_end_is_rounded_to_a_millionth():
    meter = CostMeter(TABLE)
    for prompt in (1, 1, 2):
        meter.record(TokenUsage(prompt * 100, 0), model="m")
    assert meter.projected(1).usd == Decimal("0.000400")
    assert meter.projected(2).usd == Decimal("0.000800")
    meter.record(TokenUsage(0, 0), model="m")
    assert meter.projected(1).usd == Decimal("0.000300")
    assert meter.projected(7).usd == Decimal("0.002100")


def test_without_prices_there_is_no_projection_and_with_some_it_is_the_least():
    meter = CostMeter(TABLE)
    assert meter.projected(5).as_dict() == {"turns": 5, "usd": None, "known": False}
    meter.record(TokenUsage(100_000, 0), model="unknown")
    assert meter.projected(5).usd is None
    meter.record(TokenUsage(100_000, 0), model="m")
    projection = meter.projected(4)
    assert projection.usd == Decimal("0.6")  # 4 x (0 + 0.3) / 2
    assert not projection.is_known


def test_a_window_of_zero_behaves_as_one():
    meter = CostMeter(TABLE, window=0)
    for prompt in (100_000, 200_000):
        meter.record(TokenUsage(prompt, 0), model="m")
    assert meter.projected(1).usd == Decimal("0.6")
    with pytest.raises(MetricsError):
        meter.projected(-1)
    with pytest.raises(MetricsError, match=r"window is 1000001; expected 0 to 1000000"):
        CostMeter(TABLE, window=10**6 + 1)


# --- budget -----------------------------------------------------------------------------------


def test_the_default_budget_is_two_dollars():
    budget = CostMeter().budget
    assert budget is not None
    assert budget.limit_usd == Decimal("2.00")


def test_levels_alert_at_their_very_amounts_once_each():
    budget = Budget("2.00")
    spendings = ["1.5999999", "1.60", "1.60", "1.79", "1.80", "1.99", "2.00", "2.01", "9"]
    raised = [[alert.level for alert in budget.check(Decimal(spent))] for spent in spendings]
    assert raised == [
        [],
        [BudgetLevel.WARNING],
        [],
        [],
        [BudgetLevel.CRITICAL],
        [],
        [BudgetLevel.EXCEEDED],
        [],
        [],
    ]
    assert [alert.level for alert in budget.alerts] == list(BudgetLevel)


def test_what_is_left_of_a_budget_is_exact_and_never_below_nothing():
    budget = Budget("0.3")
    assert budget.left_usd(Decimal("0.1")) == Decimal("0.2")
    assert budget.left_usd(Decimal("0.4")) == 0
    assert float(budget.utilisation(Decimal("0.4"))) == 4 / 3


def test_a_leap_past_several_levels_raises_each_of_them():
    raised = Budget(1).check(Decimal("0.95"))
    assert [alert.level for alert in raised] == [BudgetLevel.WARNING, BudgetLevel.CRITICAL]
    assert raised[0].sentence == "warning: 0.95 of 1 USD spent (80 % reached)"


@given(st.lists(st.decimals(0, 1, places=3), max_size=30))
def test_no_level_alerts_twice_and_none_is_left_out(steps: list[Decimal]):
    budget, spent, raised = Budget(3), Decimal(0), []
    for step in steps:
        spent += step
        raised += [alert.level for alert in budget.check(spent)]
    assert raised == [level for level in BudgetLevel if spent * 100 >= 3 * level.value]


@pytest.mark.parametrize("limit", [0, "0.00", -1, "much", float("inf"), True])
def test_budgets_that_are_none_are_refused(limit: Any):
    with pytest.raises(MetricsError, match="budget is"):
        Budget(limit)


def test_a_budget_allows_what_stays_within_its_limit_and_counts_what_was_spent():
    budget = Budget("1")
    assert budget.allows("1")
    assert not budget.allows("1.000001")
    budget.spend("0.7")
    assert budget.spent_usd == Decimal("0.7")
    assert budget.allows("0.3")  # exactly the limit is within
    assert not budget.allows("0.31")
    budget.spend("0.3")
    assert budget.allows(0)
    assert not budget.allows("0.000001")


def test_a_budget_warns_once_for_each_threshold_and_not_when_it_is_asked():
    told: list[BudgetLevel] = []
    budget = Budget(1, warn=lambda alert: told.append(alert.level))
    for _ in range(5):
        budget.spend("0.17")
        for _ in range(3):
            budget.allows("0.5")
    assert told == [BudgetLevel.WARNING]
    budget.spend("0.15")
    budget.spend("0.15")
    assert told == list(BudgetLevel)


@pytest.mark.parametrize("amount", [-1, "much", float("nan"), True, None, "1e-13"])
def test_an_estimate_or_a_spending_that_is_no_amount_is_refused_and_not_counted(amount: Any):
    budget = Budget(1)
    with pytest.raises(MetricsError, match="estimate is"):
        budget.allows(amount)
    with pytest.raises(MetricsError, match="spent is"):
        budget.spend(amount)
    assert budget.spent_usd == 0


def test_the_budget_of_a_meter_knows_what_the_meter_counted():
    meter = CostMeter(TABLE, budget_usd="0.01")
    assert meter.budget is not None
    meter.record(TokenUsage(1000, 200), model="m")  # 0.006
    assert meter.budget.allows("0.004")
    assert not meter.budget.allows("0.0041")


def test_the_cost_of_what_did_not_count_is_told_by_agent_and_reason():
    meter = CostMeter(TABLE, rows=2)
    for agent in "abcab":
        meter.record(TokenUsage(1000, 0), model="m", agent=agent, wasted="late" if agent != "a" else "")
    meter.record(TokenUsage(7, 0), model="unknown", agent="b", wasted="lost")
    assert meter.wasted() == {
        ("b", "late"): Cost(Decimal("0.006"), 2),
        ("b", "lost"): Cost(Decimal(0), 1, 1, 7),
        (OTHER, OTHER): Cost(Decimal("0.003"), 1),
    }
